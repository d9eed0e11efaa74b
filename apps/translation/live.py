"""Source and translation side by side at a terminal, as the text arrives."""

from typing import Any, TextIO

import tensorflow as tf
from rich.console import Console
from rich.live import Live
from rich.table import Table

from runnel.shared.streaming.replay import replay, start

__all__ = ["translate_live"]

_SHOWN = 12  # latest sentences


def translate_live(model: Any, lines: TextIO, wait_k: int, console: Console | None = None) -> None:
    """Reads text until its end or Ctrl-C and shows it beside its translation.

    Args:
        model: a loaded export.
        lines: what is said, read as it arrives; each line is a sentence.
        wait_k: words to wait for; 0: for the whole line.
        console: where to show it; the terminal by default.
    """
    state = start(model, 1)
    state["state_wait_k"] = tf.constant([wait_k])
    sentences = [["", ""]]
    with Live(_table(sentences), console=console, auto_refresh=False) as live:
        try:
            for character in iter(lambda: lines.read(1), ""):
                is_end = character == "\n"
                text = "" if is_end else character
                results, state = next(replay(model, [{"text": [text], "final": [is_end]}], state))
                sentences[-1][0] += text
                sentences[-1][1] += results["committed"][0].decode()
                if is_end and sentences[-1][0].strip():
                    sentences.append(["", ""])
                live.update(_table(sentences), refresh=True)
            results, _ = next(replay(model, [{"text": [""], "final": [True]}], state))
            sentences[-1][1] += results["committed"][0].decode()
            live.update(_table(sentences), refresh=True)
        except KeyboardInterrupt:
            return


def _table(sentences: list[list[str]]) -> Table:
    table = Table("source", "translation", expand=True)
    for source, translation in sentences[-_SHOWN:]:
        table.add_row(source, translation)
    return table
