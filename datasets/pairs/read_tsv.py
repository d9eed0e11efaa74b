"""A file of tab-separated lines -> pairs."""

from pathlib import Path

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.read_lines import read_lines
from runnel.datasets.pairs.usable_pairs import usable_pairs

__all__ = ["read_tsv"]


def read_tsv(path: Path, notes: list[str]) -> Pairs:
    """Reads the first two columns of a file: the source and its target.

    Args:
        path: The file: UTF-8, one pair a line, a tab between source and target. Further columns are left out, such as
            the attribution of Tatoeba; quotes have no meaning, and there is no header.
        notes: Takes a sentence about lines that cannot be used.

    Raises:
        InputError: The file cannot be read, or hardly any of its lines is a pair.
    """
    lines = [_columns(line) for line in read_lines(path)]
    return usable_pairs(str(path), lines, notes, mend="UTF-8 text of one pair a line, source TAB target")


def _columns(line: str | None) -> tuple[str | None, str | None]:
    """Returns the first two columns, as far as there are any."""
    if line is None:
        return None, None
    source, *others = line.split("\t", 2)
    return source, others[0] if others else None
