"""Loads an export to use it."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from runnel.shared.errors import InputError
from runnel.shared.export.manifest import read_manifest
from runnel.shared.storage.checksums import folder_checksums

__all__ = ["load_export"]

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
