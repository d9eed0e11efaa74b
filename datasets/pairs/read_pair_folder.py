"""A folder of pairs -> its splits: tab-separated files, or two parallel files a split."""

from pathlib import Path

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.read_parallel_files import read_parallel_files
from runnel.datasets.pairs.read_tsv import read_tsv
from runnel.shared.errors import InputError

__all__ = ["read_pair_folder"]

_TABLE_SUFFIXES = (".tsv", ".txt")
_NAMES = {"train": ("train",), "validation": ("validation", "valid", "val", "dev"), "test": ("test",)}
_LAYOUTS = "train.tsv, or train.en and train.fr, or a single .tsv or .txt file"
_SHOWN_FILES = 5


def read_pair_folder(folder: Path, notes: list[str]) -> dict[str, Pairs]:
    """Reads the splits of a folder.

    The files of a split are called train; validation, valid, val or dev; test or, where there is none, the first name
    that begins with `test_`. A split is one tab-separated file (.tsv or .txt), or two files of which each line is a
    pair, with two suffixes of any names: `.en` and `.fr` where there are both, else the first to the second in the
    order of the alphabet. Where nothing is called train, a single tab-separated file is all of train.

    Args:
        folder: The folder; names that begin with a dot or an underscore are left out.
        notes: Takes a sentence about each thing found out or left out.

    Returns:
        The pairs of train, and of validation and test as far as there are any.

    Raises:
        InputError: The folder cannot be read, holds no such files, or these cannot be used.
    """
    files = _files(folder)
    suffixes = sorted({file.suffix for file in files if file.stem == "train"})
    tables = [suffix for suffix in _TABLE_SUFFIXES if suffix in suffixes]
    if tables:
        chosen = {split: [file] for split, file in _of_splits(files, tables[0]).items()}
    elif suffixes:
        chosen = _parallel(folder, files, suffixes, notes)
    else:
        chosen = {"train": [_only_table(folder, files)]}
    read = {file for part in chosen.values() for file in part}
    _note_left_out([file.name for file in files if file not in read], notes)
    return {
        split: read_tsv(part[0], notes) if len(part) == 1 else read_parallel_files(part[0], part[1], notes)
        for split, part in chosen.items()
    }


def _files(folder: Path) -> list[Path]:
    """Returns the files of the folder itself, in the order of their names."""
    try:
        return sorted(file for file in folder.iterdir() if file.is_file() and file.name[0] not in "._")
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); expected a folder with {_LAYOUTS}") from error


def _of_splits(files: list[Path], suffix: str) -> dict[str, Path]:
    """Returns the file of each split, of those with one suffix."""
    by_stem = {file.stem: file for file in files if file.suffix == suffix}
    numbered = tuple(stem for stem in by_stem if stem.startswith("test_"))
    names = _NAMES | {"test": (*_NAMES["test"], *numbered)}
    found = {split: [by_stem[stem] for stem in stems if stem in by_stem] for split, stems in names.items()}
    return {split: candidates[0] for split, candidates in found.items() if candidates}


def _parallel(folder: Path, files: list[Path], suffixes: list[str], notes: list[str]) -> dict[str, list[Path]]:
    """Returns the two files of each split."""
    names = ", ".join(f"train{suffix}" for suffix in suffixes)
    if {".en", ".fr"} <= set(suffixes):
        suffixes = [".en", ".fr"]
    elif len(suffixes) == 2:
        notes.append(f"{suffixes[0]} is read as the source and {suffixes[1]} as its target: the order of the alphabet")
    else:
        raise InputError(f"{folder} holds {names}; expected two files of train; leave the source and its target there")
    source, target = (_of_splits(files, suffix) for suffix in suffixes)
    chosen = {}
    for split in (split for split in _NAMES if split in source or split in target):
        stem = (source.get(split) or target[split]).stem
        chosen[split] = [folder / f"{stem}{suffix}" for suffix in suffixes]
        missing = [file.name for file in chosen[split] if not file.exists()]
        if missing:
            raise InputError(
                f"{folder} holds no {missing[0]}; expected both files of {stem}; add it, or rename the other"
            )
    return chosen


def _only_table(folder: Path, files: list[Path]) -> Path:
    """Returns the single tab-separated file."""
    tables = [file for file in files if file.suffix in _TABLE_SUFFIXES]
    if len(tables) == 1:
        return tables[0]
    raise InputError(
        f"{folder} holds {_listed([file.name for file in files]) or 'no files'}; expected {_LAYOUTS}; "
        "rename the files, or give the one to read"
    )


def _note_left_out(names: list[str], notes: list[str]) -> None:
    """Notes files that were not read."""
    if names:
        notes.append(f"left out, for other files serve as splits: {_listed(names)}")


def _listed(names: list[str]) -> str:
    """Returns the first names in one line."""
    more = len(names) - _SHOWN_FILES
    return ", ".join(names[:_SHOWN_FILES]) + (f" and {more} more" if more > 0 else "")
