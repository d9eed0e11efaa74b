"""Reads the manifest of an export."""

import json
from pathlib import Path
from typing import Any

from runnel.shared.errors import InputError
from runnel.shared.storage.atomic_folder import recover

__all__ = ["MANIFEST", "SCHEMA_VERSION", "read_manifest"]

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1


def read_manifest(export_dir: Path, application: str | None = None) -> dict[str, Any]:
    """The manifest of an export, after mending what a kill in the middle of a replacement may have left.

    Args:
        export_dir: an export directory.
        application: the application that it must be of.

    Raises:
        InputError: there is no export, or one of another application or a newer schema.
    """
    recover(export_dir)
    try:
        manifest = json.loads((export_dir / MANIFEST).read_text(encoding="utf-8"))
        found, schema = manifest["application"], int(manifest["schema_version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"received {export_dir}, which has no readable {MANIFEST}; expected an export directory; "
            "runnel train prints where it puts one"
        ) from error
    if schema > SCHEMA_VERSION:
        raise InputError(f"{export_dir} has schema version {schema}; expected at most {SCHEMA_VERSION}; update runnel")
    if application is not None and found != application:
        raise InputError(f"{export_dir} is an export of {found}; expected one of {application}")
    return manifest
