"""Lines read as pairs -> the usable ones, with a note about the others."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.shared.errors import InputError

__all__ = ["ASCII_WHITESPACE", "Problems", "usable_pairs"]

ASCII_WHITESPACE = " \t\n\r\v\f"  # What is stripped; French puts other blanks before its punctuation.


@dataclass
class Problems:
    """Counts what is wrong with lines.

    Attributes:
        first: For each kind of problem, the number of the first line that has it, from 1.
        counts: How many lines have it.
    """

    first: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, number: int) -> None:
        """Counts a problem of the line of this number."""
        self.first.setdefault(kind, number)
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def __str__(self) -> str:
        return ", ".join(
            f"{count:,} {'lines' if count > 1 else 'line'} {kind} (first: line {self.first[kind]:,})"
            for kind, count in self.counts.items()
        )


def usable_pairs(what: str, lines: Iterable[tuple[str | None, str | None]], notes: list[str], mend: str) -> Pairs:
    """Keeps the pairs of which both sides are text, stripped of surrounding ASCII whitespace.

    Args:
        what: Name of the file or files, for messages.
        lines: Source and target of each line. None for a source: the line is no UTF-8; None for a target: it has none.
        notes: Takes a sentence about the lines that were left out. Lines that are blank on both sides count as none.
        mend: How to mend lines that cannot be used, for messages.

    Raises:
        InputError: No line is usable, or fewer than those that are not.
    """
    kept, problems = list[tuple[str, str]](), Problems()
    for number, (source, target) in enumerate(lines, 1):
        source = source if source is None else source.strip(ASCII_WHITESPACE)
        target = target if target is None else target.strip(ASCII_WHITESPACE)
        if source and target:
            kept.append((source, target))
        elif source is None:
            problems.add("not UTF-8", number)
        elif target is None and source:
            problems.add("without a tab", number)
        elif source or target:
            problems.add("with nothing on one side", number)
    unusable = sum(problems.counts.values())
    if not kept and not unusable:
        raise InputError(f"{what} holds no text; expected {mend}; give another file")
    if unusable > len(kept):
        raise InputError(
            f"{what} holds {len(kept):,} usable pair{'s' * (len(kept) != 1)} and {problems}; expected {mend}; "
            "mend the lines or give another file"
        )
    if unusable:
        notes.append(f"{what}: left out {problems}")
    return Pairs.of(kept)
