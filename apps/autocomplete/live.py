"""Suggestions under the line while somebody types at a terminal."""

from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output

from runnel.apps.autocomplete.typing_session import TypingSession

__all__ = ["accept", "type_live"]

_HINT = "Tab accepts the first, Shift-Tab the second; Enter: new line; Ctrl-D: end"


def type_live(model: Any, keyboard: Input | None = None, screen: Output | None = None) -> str:
    """Reads lines with suggestions under them until the end of input or Ctrl-C.

    Args:
        model: a loaded export.
        keyboard: what to read; the terminal by default.
        screen: where to write; the terminal by default.

    Returns:
        all that was typed.
    """
    session = TypingSession(model)
    text = ""

    def suggestions() -> list[tuple[str, float]]:
        return session.suggest(text + get_app().current_buffer.document.text_before_cursor)

    prompt: PromptSession[str] = PromptSession(
        bottom_toolbar=lambda: _toolbar(suggestions()),
        key_bindings=_bindings(suggestions),
        input=keyboard,
        output=screen,
    )
    while True:
        try:
            text += prompt.prompt("> ") + "\n"
        except (EOFError, KeyboardInterrupt):
            return text


def accept(line: str, word: str) -> str:
    """A line whose last word, if one is being typed, is replaced by a suggestion, with a space after it."""
    typed = next(length for length in range(min(len(word), len(line)), -1, -1) if line.endswith(word[:length]))
    return f"{line[: len(line) - typed]}{word} "


def _bindings(suggestions: Any) -> KeyBindings:
    bindings = KeyBindings()

    def accept_at(place: int, event: KeyPressEvent) -> None:
        offered = suggestions()
        if len(offered) > place:
            buffer = event.current_buffer
            before = buffer.document.text_before_cursor
            buffer.delete_before_cursor(len(before))
            buffer.insert_text(accept(before, offered[place][0]))

    bindings.add("tab")(lambda event: accept_at(0, event))
    bindings.add("s-tab")(lambda event: accept_at(1, event))
    return bindings


def _toolbar(offered: list[tuple[str, float]]) -> FormattedText:
    words = [("bold" if place == 0 else "", f"{word}  ") for place, (word, _) in enumerate(offered)]
    return FormattedText([*words, ("", "\n"), ("italic", _HINT)])
