"""Loads an export to use it."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from runnel.shared.errors import InputError
from runnel.shared.export.manifest import read_manifest
from runnel.shared.storage.checksums import folder_checksums, sha256_of

__all__ = ["load_export", "network_file"]

_SAVED_MODEL = "saved_model"


def load_export(export_dir: Path, application: str) -> tuple[dict[str, Any], Any]:
    """Reads the manifest of an export and loads its SavedModel, once its files have been compared with the manifest.

    Args:
        export_dir: an export directory.
        application: the application that it must be of.

    Returns:
        the manifest, and what `tf.saved_model.load` gives.

    Raises:
        InputError: there is no export, one of another application or a newer schema, or one whose files are missing or
            damaged.
    """
    manifest = read_manifest(export_dir, application)
    _refuse_damage(export_dir, manifest)
    return manifest, tf.saved_model.load(str(export_dir / _SAVED_MODEL))


def network_file(export_dir: Path, manifest: dict[str, Any]) -> Path:
    """The Keras model of an export, to go on training from, once it has been compared with the manifest.

    Raises:
        InputError: it is missing or damaged.
    """
    network = export_dir / "model.keras"
    if not network.is_file() or sha256_of(network) != manifest["files"]["model.keras"]:
        raise InputError(f"{network} is missing or damaged; expected what was exported; copy the export again")
    return network


def _refuse_damage(export_dir: Path, manifest: dict[str, Any]) -> None:
    """Refuses a SavedModel that is not what was exported: TensorFlow would end in a traceback, or not at all."""
    recorded = manifest.get("files")
    expected = recorded if isinstance(recorded, dict) else {}
    names = [name for name in expected if name.startswith(f"{_SAVED_MODEL}/")]
    try:
        found = folder_checksums(export_dir / _SAVED_MODEL)
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}); expected an export; check it") from error
    damaged = [name for name in names if found.get(name.removeprefix(f"{_SAVED_MODEL}/")) != expected[name]]
    if damaged or not names:
        raise InputError(
            f"{export_dir / (damaged or [_SAVED_MODEL])[0]} is missing or damaged; expected what was exported; "
            "copy the export again"
        )
