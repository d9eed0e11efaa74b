"""The folder of a training run.

RUN/
    config.json      application, configuration and data fingerprint; written before anything else
    checkpoints/     what a resumed run goes on from
    log.csv          one row an epoch
    export/          the trained model
    finished.json    there when nothing is left to do
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from runnel.shared.errors import InputError
from runnel.shared.storage.atomic_write import write_atomic

__all__ = ["RunFolder", "load_run", "open_run"]

_CONFIG = "config.json"
_FIELDS_SHOWN = 3


@dataclass(frozen=True)
class RunFolder:
    """A run on disk.

    Attributes:
        path: The folder.
        application: The name of the application.
        config: Its configuration, as JSON gives it back.
        data_fingerprint: Identifies the content of the data.
    """

    path: Path
    application: str
    config: Mapping[str, Any]
    data_fingerprint: str

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def log_csv(self) -> Path:
        """The log, one row an epoch."""
        return self.path / "log.csv"

    @property
    def export_dir(self) -> Path:
        """Where the trained model goes."""
        return self.path / "export"

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self._marker.exists()

    @property
    def resume_hint(self) -> str:
        """The option to add to the command that started the run, or to repeat, to go on with it; quoted for a shell."""
        return f"--out {shlex.quote(str(self.path))}"

    def mark_finished(self) -> None:
        """Records that nothing is left to do."""
        write_atomic(self._marker, json.dumps({"finished": True}) + "\n")

    @property
    def _marker(self) -> Path:
        return self.path / "finished.json"


def open_run(
    application: str,
    config: Mapping[str, Any],
    data_fingerprint: str,
    out: Path | None,
    runs_root: Path,
    now: datetime,
) -> RunFolder:
    """Starts a run in a new folder, or continues the one in `out`.

    Args:
        application: The name of the application.
        config: Its configuration; anything JSON can hold. What may change between two starts of a run stays out of it.
        data_fingerprint: Identifies the content of the data.
        out: The folder of the run, new or to continue; None for a new one, `runs_root`/`application`/TIMESTAMP.
        runs_root: Where new runs go.
        now: Gives the new folder its name.

    Returns:
        The run; look at `finished` before going on.

    Raises:
        InputError: If `out` is a file, holds something else, or a run of another configuration or other data.
    """
    description = json.loads(
        json.dumps({"application": application, "data_fingerprint": data_fingerprint, "config": dict(config)})
    )
    if out is not None and _holds_something(out):
        run = load_run(out)
        _refuse_difference(out, _describe(run), description)
        return run
    path = _new_folder(runs_root / application, now) if out is None else out
    write_atomic(path / _CONFIG, json.dumps(description, indent=2) + "\n")
    return RunFolder(path, application, description["config"], data_fingerprint)


def load_run(path: Path) -> RunFolder:
    """Reads the run in a folder.

    Raises:
        InputError: If there is none.
    """
    try:
        description = json.loads((path / _CONFIG).read_text())
        return RunFolder(path, description["application"], description["config"], description["data_fingerprint"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"received {path}, which holds no training run; expected the folder of a run, or a new or empty one to "
            "start a run in; give another path"
        ) from error


def _holds_something(path: Path) -> bool:
    """Tells whether a path is taken, by a file or by more than a start that was killed at once."""
    if not path.exists():
        return False
    return not path.is_dir() or any(item.name != f".{_CONFIG}.partial" for item in path.iterdir())


def _new_folder(parent: Path, now: datetime) -> Path:
    name = now.strftime("%Y-%m-%d_%H-%M-%S")
    parent.mkdir(parents=True, exist_ok=True)
    for path in (parent / (f"{name}-{count}" if count > 1 else name) for count in range(1, 1000)):
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise InputError(f"received a thousand runs in one second in {parent}; expected fewer; give --out")


def _describe(run: RunFolder) -> dict[str, Any]:
    return {"application": run.application, "data_fingerprint": run.data_fingerprint, "config": run.config}


def _refuse_difference(path: Path, stored: dict[str, Any], received: dict[str, Any]) -> None:
    old, new = dict(_flat(stored)), dict(_flat(received))
    differing = [name for name in sorted(old.keys() | new.keys()) if _show(old, name) != _show(new, name)]
    if not differing:
        return
    shown = [f"{name} = {_show(new, name)}, not {_show(old, name)}" for name in differing[:_FIELDS_SHOWN]]
    more = f" and {len(differing) - _FIELDS_SHOWN} more" if len(differing) > _FIELDS_SHOWN else ""
    raise InputError(
        f"received {'; '.join(shown)}{more}; expected what the run in {path} was started with; "
        "repeat its options and data to continue it, or give another --out"
    )


def _show(fields: Mapping[str, Any], name: str) -> str:
    return json.dumps(fields[name]) if name in fields else "absent"


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item
