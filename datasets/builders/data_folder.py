"""Where prepared datasets are kept."""

import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["data_folder"]


def data_folder(environ: Mapping[str, str] | None = None, root: Path | None = None) -> Path:
    """Returns the folder for prepared data; it need not exist.

    Args:
        environ: Environment variables; None takes those of the process.
        root: The folder two above this package: the checkout, or a part of an installation.

    Returns:
        `RUNNEL_DATA_DIR` if set, else `.cache/` of the checkout, else (installed elsewhere) a cache folder of the user.
    """
    environ = os.environ if environ is None else environ
    root = Path(__file__).resolve().parents[2] if root is None else root
    if environ.get("RUNNEL_DATA_DIR"):
        return Path(environ["RUNNEL_DATA_DIR"]).expanduser()
    if (root / "pyproject.toml").is_file():
        return root / ".cache"
    cache = environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "runnel"
