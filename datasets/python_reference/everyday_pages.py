"""Everyday English sentences, and pages of them in changing order."""

import hashlib
from pathlib import Path

__all__ = ["REPETITIONS", "everyday_pages", "read_sentences"]

REPETITIONS = 12  # Times that a sentence occurs in the training split: often enough for a small model to learn it.
_FILE = Path(__file__).parent / "everyday_sentences.txt"


def read_sentences(path: Path = _FILE) -> list[str]:
    """Returns the sentences of a file, one a line."""
    return path.read_text(encoding="utf-8").splitlines()


def everyday_pages(sentences: list[str], count: int = REPETITIONS) -> list[str]:
    """Writes every sentence once on each page, as a paragraph of its own.

    Args:
        sentences: The sentences.
        count: The number of pages.

    Returns:
        The pages. The order of the sentences differs from page to page and is the same wherever it is computed.
    """
    return ["\n\n".join(sorted(sentences, key=lambda sentence: _rank(page, sentence))) for page in range(count)]


def _rank(page: int, sentence: str) -> bytes:
    """Returns the place of a sentence on a page: no generator whose numbers may differ by version."""
    return hashlib.sha256(f"{page} {sentence}".encode()).digest()
