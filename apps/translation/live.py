"""Source and translation side by side at a terminal, as the text arrives or is typed."""

import functools
import itertools
from collections.abc import Iterator
from typing import Any, TextIO

import tensorflow as tf
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from runnel.shared.streaming.replay import replay, start

__all__ = ["show_live", "type_live"]

_SHOWN = 12  # latest sentences
_HINT = "Enter: the sentence ends; Ctrl-D: end"


def show_live(model: Any, lines: TextIO, wait_k: int, console: Console | None = None) -> None:
    """Reads text until its end or Ctrl-C and shows it beside its translation.

    Args:
        model: a loaded export.
        lines: what is said, read as it arrives; each line is a sentence, the last one too.
        wait_k: words to wait for; 0: for the whole line.
        console: where to show it; the terminal by default.
    """
    state = start(model, 1) | {"state_wait_k": tf.constant([wait_k])}
    sentences = [["", ""]]
    with Live(_table(sentences), console=console, auto_refresh=False) as live:
        try:
            for character in itertools.chain(_characters(lines), "\n"):
                is_end = character == "\n"
                text = "" if is_end else character
                results, state = next(replay(model, [{"text": [text], "final": [is_end]}], state))
                sentences[-1][0] += text
                sentences[-1][1] += results["committed"][0].decode()
                live.update(_table(sentences), refresh=True)
                if is_end and sentences[-1][0].strip():
                    sentences.append(["", ""])
        except KeyboardInterrupt:
            return


def type_live(model: Any, wait_k: int, keyboard: Input | None = None, screen: Output | None = None) -> list[str]:
    """Reads typed lines, with what is translated of the line so far under it, until the end of input or Ctrl-C.

    Args:
        model: a loaded export.
        wait_k: words to wait for; 0: for the whole line.
        keyboard: what to read; the terminal by default.
        screen: where to write; the terminal by default.

    Returns:
        the translations of the lines.
    """

    @functools.lru_cache
    def translate(text: str, final: bool) -> str:
        state = start(model, 1) | {"state_wait_k": tf.constant([wait_k])}
        outputs = model.step(text=tf.constant([text]), final=tf.constant([final]), **state)
        return str(outputs["committed"].numpy()[0].decode())

    def toolbar() -> FormattedText:
        text = get_app().current_buffer.document.text
        return FormattedText([("bold", translate(text, final=False)), ("", "\n"), ("italic", _HINT)])

    session: PromptSession[str] = PromptSession(bottom_toolbar=toolbar, input=keyboard, output=screen)
    translations: list[str] = []
    while True:
        try:
            line = session.prompt("> ")
        except (EOFError, KeyboardInterrupt):
            return translations
        translations.append(translate(line, final=True))
        session.output.write(f"  {translations[-1]}\n")
        session.output.flush()


def _characters(lines: TextIO) -> Iterator[str]:
    return iter(lambda: lines.read(1), "")


def _table(sentences: list[list[str]]) -> Table:
    table = Table("source", "translation", expand=True)
    for source, translation in sentences[-_SHOWN:]:
        table.add_row(Text(source), Text(translation))
    return table
