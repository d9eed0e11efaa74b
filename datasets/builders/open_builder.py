"""The name of a dataset -> its TensorFlow Datasets builder, prepared in our data folder; ours or one of TFDS."""

import contextlib
import importlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from runnel.shared.errors import InputError

__all__ = ["is_dataset_name", "open_builder", "prepare_builder"]

_TFDS = "tfds:"
_SHOWN_CHARACTERS = 100


def is_dataset_name(source: str, our_names: Sequence[str]) -> bool:
    """Says whether a source names a dataset: one of ours, or any of TensorFlow Datasets as tfds:NAME."""
    return source in our_names or source.startswith(_TFDS)


def open_builder(name: str, our_names: Sequence[str], folder: Path) -> Any:
    """Returns the builder of a dataset; nothing is prepared yet.

    Args:
        name: One of `our_names`, or `tfds:NAME`; ours may be written either way.
        our_names: The datasets of ours that serve the caller, each in the package of its name.
        folder: Where prepared data is kept.

    Raises:
        InputError: TensorFlow Datasets cannot open it.
    """
    import tensorflow_datasets as tfds

    bare = name.removeprefix(_TFDS)
    if bare in our_names:  # Importing its class is what registers it.
        return importlib.import_module(f"runnel.datasets.{bare}.{bare}_dataset_builder").Builder(data_dir=folder)
    try:
        return tfds.builder(bare, data_dir=folder)
    except (tfds.core.DatasetNotFoundError, ValueError, ImportError) as error:
        raise InputError(
            f"{name} is no dataset that TensorFlow Datasets can open ({_brief(error)}); expected tfds:NAME "
            f"with a name of its catalogue, one of {', '.join(our_names)}, or a file"
        ) from error


def prepare_builder(name: str, builder: Any, folder: Path, *, quiet: bool) -> None:
    """Generates the dataset in the folder, unless it is there.

    Args:
        name: What the user called the dataset, for messages.
        builder: Its builder.
        folder: Where prepared data is kept.
        quiet: Keeps the messages and bars of TensorFlow Datasets from the terminal.

    Raises:
        InputError: The folder cannot be written, or the builder's own code fails: network, parser, disk.
    """
    if builder.data_path.exists():
        return
    _check_writable(folder)
    with _without_progress() if quiet else contextlib.nullcontext():
        try:
            builder.download_and_prepare()
        except InputError:
            raise
        except Exception as error:  # A builder runs code of its own: network, parsers, disks.
            if not builder.data_path.exists():  # Otherwise another process was first: read what it wrote.
                raise InputError(
                    f"{name} could not be prepared in {folder} ({type(error).__name__}: {_brief(error)}); "
                    "check network and disk, or give a file"
                ) from error
            builder.info.read_from_directory(builder.data_dir)


def _check_writable(folder: Path) -> None:
    """Refuses a folder in which nothing can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise InputError(f"{folder} cannot be written; prepared data goes there; set RUNNEL_DATA_DIR to another folder")


@contextlib.contextmanager
def _without_progress() -> Iterator[None]:
    """Keeps TensorFlow Datasets' messages and bars from the terminal: our data takes a second."""
    from tensorflow_datasets.core.utils import tqdm_utils

    active = tqdm_utils._active
    tqdm_utils.display_progress_bar(False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tqdm_utils.display_progress_bar(active)


def _brief(error: Exception) -> str:
    """Returns the message of an error in one line."""
    line = " ".join(str(error).split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"
