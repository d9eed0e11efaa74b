"""Checkpoints on disk: complete, verified, few.

FOLDER/step-00001200/
    arrays.npz       the numbers
    state.json       everything else
    manifest.json    the step, whether it was the best so far, and the SHA-256 of the other two
"""

import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runnel.shared.storage.atomic_folder import atomic_folder, discard_partial, recover, unfinished
from runnel.shared.storage.checksums import folder_checksums, sha256_of

__all__ = ["Checkpoint", "CheckpointStore"]

_SCHEMA = 1
_FILES = {"arrays.npz", "state.json"}
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint, read and verified.

    Attributes:
        step: Training steps done when it was written.
        arrays: The numbers, by name.
        state: What is not an array; anything JSON can hold.
        is_best: Whether no checkpoint before it was better.
    """

    step: int
    arrays: Mapping[str, np.ndarray]
    state: Mapping[str, Any]
    is_best: bool


class CheckpointStore:
    """The checkpoints of one run: written atomically, verified when read, pruned to the last few and the best.

    Args:
        folder: Where they lie; made by the first `save`.
        keep: How many of the newest stay, at least one; the best stays besides.
    """

    def __init__(self, folder: Path, keep: int = 3) -> None:
        if keep < 1:
            raise ValueError(f"received keep={keep}; expected at least 1, or there is nothing to resume from")
        self.folder = folder
        self.keep = keep

    def save(self, step: int, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any], is_best: bool) -> None:
        """Writes a checkpoint and prunes the others; one of the same step is replaced.

        Args:
            step: Training steps done.
            arrays: Numbers to keep, by name; no object arrays.
            state: Anything JSON can hold.
            is_best: Whether this is the best so far.
        """
        for target in unfinished(self.folder):
            discard_partial(target)
        with atomic_folder(self.folder / f"step-{step:08d}") as folder:
            np.savez(folder / "arrays.npz", **dict(arrays))  # type: ignore[arg-type]  # no array is named allow_pickle
            (folder / "state.json").write_text(json.dumps(state))
            manifest = {"schema": _SCHEMA, "step": step, "is_best": is_best, "sha256": folder_checksums(folder)}
            (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
        self._prune()

    def latest_valid(self, report: Callable[[str], None]) -> Checkpoint | None:
        """Returns the newest checkpoint that is intact, or None if there is none.

        Args:
            report: Called with one line for each damaged checkpoint that is passed over.
        """
        return next(self._valid(self._newest_first(), report), None)

    def best(self, report: Callable[[str], None]) -> Checkpoint | None:
        """Returns the best checkpoint that is intact, or None if there is none.

        Args:
            report: Called with one line for each damaged checkpoint that is passed over.
        """
        return next(self._valid(filter(_is_best, self._newest_first()), report), None)

    def _valid(self, folders: Iterator[Path], report: Callable[[str], None]) -> Iterator[Checkpoint]:
        for folder in folders:
            try:
                yield _read(folder)
            except _UNREADABLE as error:
                report(f"checkpoint {folder.name} is damaged ({error}); falling back to the one before")

    def _newest_first(self) -> Iterator[Path]:
        for target in unfinished(self.folder):
            recover(target)
        yield from sorted(self.folder.glob("step-*"), key=_step, reverse=True)

    def _prune(self) -> None:
        folders = list(self._newest_first())
        best = next(filter(_is_best, folders), None)
        for folder in folders[self.keep :]:
            if folder != best:
                shutil.rmtree(folder)


def _step(folder: Path) -> int:
    match = re.fullmatch(r"step-(\d+)", folder.name)
    return int(match[1]) if match else -1


def _is_best(folder: Path) -> bool:
    try:
        return bool(_read_manifest(folder)["is_best"])
    except _UNREADABLE:
        return False


def _read(folder: Path) -> Checkpoint:
    manifest = _read_manifest(folder)
    for name in sorted(_FILES):
        if sha256_of(folder / name) != manifest["sha256"][name]:
            raise ValueError(f"{name} does not match its checksum")
    with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    state = json.loads((folder / "state.json").read_text())
    return Checkpoint(manifest["step"], arrays, state, manifest["is_best"])


def _read_manifest(folder: Path) -> dict[str, Any]:
    manifest = json.loads((folder / "manifest.json").read_text())
    known = manifest["schema"] == _SCHEMA and manifest["step"] == _step(folder)
    if not known or not isinstance(manifest["is_best"], bool) or manifest["sha256"].keys() != _FILES:
        raise ValueError("manifest.json is not what was written")
    return manifest
