"""The text of a help topic -> its paragraphs; prose on one line each, code and tables as they are."""

import re
from itertools import pairwise

__all__ = ["unwrap_topic"]

_WIDTH = 70  # Sphinx' text writer wraps at this column; what is longer was not wrapped.
_UNDERLINE = re.compile(r"([*=\-~^\"])\1+")
_LIST_MARK = re.compile(r"(?:[*•-]|\w{1,3}\.|\[\d+\])\s+(?=\S)")
_NO_PROSE = re.compile(r"\s*(?:\+[-=]{2}|\||>>>|\.\.\.(?:\s|$))|.*::=")
_SENTENCE_END = (".", ":", "!", "?")


def unwrap_topic(text: str) -> list[str]:
    """Joins the lines that the writer of the help topics wrapped, and drops the underlines of headings.

    A line break is a wrapping if the next word would not have fitted on the line. A block with any other break between
    two lines of one column is code, grammar or a table, and stays as it is.

    Args:
        text: A topic of `pydoc_data.topics`; blank lines separate its paragraphs.

    Returns:
        The paragraphs. Prose is one line without indentation; code keeps its lines and their indentation.
    """
    blocks = re.split(r"\n\s*?\n", _without_underlines(text))
    return [_unwrap(block.strip("\n").rstrip()) for block in blocks if block.strip()]


def _without_underlines(text: str) -> str:
    """Drops each line that underlines the heading above it, and each ruled line."""
    lines = text.split("\n")
    kept = lines[:1]
    for above, line in pairwise(lines):
        is_underline = not above or (len(line) == len(above) and not above.startswith(" "))
        if not (is_underline and _UNDERLINE.fullmatch(line)):
            kept.append(line)
    return "\n".join(kept)


def _unwrap(block: str) -> str:
    """Returns a block with its wrapped lines joined if it is prose, else as it is."""
    lines = block.split("\n")
    if any(_NO_PROSE.match(line) for line in lines):
        return block
    joined = [lines[0].strip()]
    for above, line in pairwise(lines):
        if _is_wrapped(above, line):
            joined[-1] += ("" if re.search(r"\w-$", above) else " ") + line.strip()
        elif _indentation(line) == _indentation(above) and not _LIST_MARK.match(line.lstrip()):
            return block
        else:  # The next item of a list, or what a term means.
            joined.append(line.strip())
    is_prose = len(joined) < len(lines) or block.endswith(_SENTENCE_END)
    return "\n".join(joined) if is_prose else block


def _is_wrapped(above: str, line: str) -> bool:
    """Says whether the writer broke the line above because the next word did not fit."""
    mark = _LIST_MARK.match(above.lstrip())
    columns = {_indentation(above), _indentation(above) + (mark.end() if mark else 0)}
    gap = 2 if above.endswith((".", "?", "!")) else 1  # Many authors write two spaces after a sentence.
    return _indentation(line) in columns and len(above) <= _WIDTH < len(above) + gap + len(line.split()[0])


def _indentation(line: str) -> int:
    """Returns the number of spaces before the first character."""
    return len(line) - len(line.lstrip())
