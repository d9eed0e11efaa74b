"""Two files of as many lines -> pairs."""

from pathlib import Path

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.read_lines import read_lines
from runnel.datasets.pairs.usable_pairs import usable_pairs
from runnel.shared.errors import InputError

__all__ = ["read_parallel_files"]


def read_parallel_files(source: Path, target: Path, notes: list[str]) -> Pairs:
    """Reads two UTF-8 files; line n of one is the pair of line n of the other.

    Args:
        source: File of the sources, one a line.
        target: File of their targets.
        notes: Takes a sentence about lines that cannot be used.

    Raises:
        InputError: A file cannot be read, the two differ in the number of lines, or hardly any line is a pair.
    """
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        raise InputError(
            f"{source} and {target.name} have {len(sources):,} and {len(targets):,} lines; expected as many, line by "
            "line the same sentence; look for the first line that does not fit"
        )
    lines = [(None, None) if None in pair else pair for pair in zip(sources, targets, strict=True)]
    return usable_pairs(f"{source} with {target.name}", lines, notes, mend="UTF-8 text on each line of both files")
