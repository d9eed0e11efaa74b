"""Writes an export directory: everything or nothing, and only after a clean process has verified it."""

import hashlib
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from runnel.shared.errors import ExportError
from runnel.shared.export.manifest import MANIFEST, SCHEMA_VERSION
from runnel.shared.export.probe import Probe
from runnel.shared.export.signatures import STATE_PREFIX, Servable, describe_signatures
from runnel.shared.export.verifier import Verifier
from runnel.shared.storage.atomic_folder import atomic_folder
from runnel.shared.storage.checksums import folder_checksums

__all__ = ["ExportContent", "export_model"]


@dataclass(frozen=True)
class ExportContent:
    """What goes into an export besides the graph.

    Attributes:
        application: its name, such as `forecasting`.
        config: the full configuration, plain data.
        data: where the data came from and their fingerprint, plain data.
        meanings: what a client must know to read inputs and outputs: column order, units, levels, classes.
        metrics: what was measured, beside the baselines, plain data.
        write_report: writes the report page to the path it is given.
    """

    application: str
    config: dict[str, Any]
    data: dict[str, Any]
    meanings: dict[str, Any]
    metrics: dict[str, Any]
    write_report: Callable[[Path], None]


def export_model(
    servable: Servable, network: keras.Model, probe: Probe, content: ExportContent, target: Path
) -> dict[str, Any]:
    """Writes `target` with the SavedModel, `model.keras`, the report, the verification and the manifest.

    Args:
        servable: what is exported.
        network: the Keras model inside, saved apart to fine-tune from.
        probe: inputs that the verification replays.
        content: what else the manifest and the report say.
        target: the export directory; an existing one is replaced only once the new one is complete.

    Returns:
        the manifest.

    Raises:
        ExportError: the export did not pass its verification; nothing was written.
    """
    described = describe_signatures(servable.signatures)
    _refuse_changing_state(described)
    with atomic_folder(target) as folder, Verifier(folder) as verifier:
        tf.saved_model.save(servable.module, str(folder / "saved_model"), signatures=servable.signatures)
        network.save(folder / "model.keras")
        content.write_report(folder / "report.html")
        verification = verifier.verify(probe, servable.signatures)
        manifest = _manifest(folder, content, described, verification)
        (folder / MANIFEST).write_text(
            json.dumps(_without_nan(manifest), indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )
    return manifest


def _refuse_changing_state(signatures: dict[str, dict]) -> None:
    """Refuses a signature whose state comes out in another form than it went in, as far as the graph tells."""
    for signature, sides in signatures.items():
        before, after = (
            {name: spec for name, spec in sides[side].items() if name.startswith(STATE_PREFIX)}
            for side in ("inputs", "outputs")
        )
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        if changed and before:  # `initial_state` takes none
            forms = "; ".join(f"{name} from {before.get(name)} to {after.get(name)}" for name in changed)
            raise ExportError(f"{signature} changes the form of the state; nothing was written: {forms}")


def _without_nan(value: Any) -> Any:
    """The same data with None for NaN and infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _manifest(folder: Path, content: ExportContent, signatures: dict, verification: dict) -> dict[str, Any]:
    states = signatures["initial_state"]["outputs"]
    return {
        "schema_version": SCHEMA_VERSION,
        "application": content.application,
        "versions": {"python": sys.version.split()[0], "tensorflow": tf.__version__, "keras": keras.__version__},
        "config": content.config,
        "data": content.data,
        "meanings": content.meanings,
        "signatures": signatures,
        "state": {
            "fingerprint": hashlib.sha256(json.dumps(states, sort_keys=True).encode()).hexdigest(),
            "bytes_per_session": verification["state_bytes_per_session"],
        },
        "metrics": content.metrics,
        "files": folder_checksums(folder),
    }
