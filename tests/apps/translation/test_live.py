import io
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from runnel.apps.translation.live import show_live, type_live

ENTER, BACKSPACE, CTRL_C, CTRL_D = "\r", "\x7f", "\x03", "\x04"

# === Text that arrives ===


def frames(model: Any, lines: Any, wait_k: int = 0) -> list[list[tuple[str, str]]]:
    """The tables that a terminal shows one after the other."""
    screen = io.StringIO()
    show_live(model, lines, wait_k, Console(file=screen, width=80, height=60, force_terminal=True))
    shown = []
    for frame in screen.getvalue().split("\r\x1b[2K"):
        rows = [line.split("│")[1:-1] for line in frame.splitlines() if "│" in line]
        shown.append([(source.strip(), translation.strip()) for source, translation in rows])
    return shown


def test_source_and_translation_stand_side_by_side(copying_model: Callable) -> None:
    shown = frames(copying_model(str.upper), io.StringIO("one two\nthree four\n"))
    assert shown[-1] == [("one two", "ONE TWO"), ("three four", "THREE FOUR"), ("", "")]


def test_each_character_is_shown_before_the_next_is_read(copying_model: Callable) -> None:
    shown = frames(copying_model(str.upper), io.StringIO("ab c\n"), wait_k=1)
    assert [frame[0] for frame in shown if frame][:6] == [
        *(("", ""), ("a", ""), ("ab", ""), ("ab", "AB"), ("ab c", "AB"), ("ab c", "AB C"))
    ]


def test_a_line_that_does_not_end_is_translated_at_the_end_of_input(copying_model: Callable) -> None:
    assert frames(copying_model(str.upper), io.StringIO("one two"), wait_k=3)[-1] == [("one two", "ONE TWO")]


def test_blank_lines_take_no_room(copying_model: Callable) -> None:
    assert frames(copying_model(), io.StringIO("\n\none\n \n\ntwo\n"))[-1] == [("one", "one"), ("two", "two"), ("", "")]


def test_only_the_latest_sentences_are_kept_in_view(copying_model: Callable) -> None:
    lines = [f"{number}." for number in range(30)]
    assert frames(copying_model(), io.StringIO("\n".join(lines)))[-1] == [(line, line) for line in lines[-12:]]


def test_text_is_shown_as_it_is(copying_model: Callable) -> None:
    text = "[/b] [red]x[/red] :smile: \\[a]"
    assert frames(copying_model(), io.StringIO(text))[-1] == [(text, text)]


def test_ctrl_c_ends_it(copying_model: Callable) -> None:
    class Interrupted(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            read = super().read(size)
            if not read:
                raise KeyboardInterrupt
            return read

    assert frames(copying_model(str.upper), Interrupted("one two"), wait_k=1)[-1] == [("one two", "ONE")]


def test_of_nothing_there_is_nothing_to_show(copying_model: Callable) -> None:
    assert frames(copying_model(), io.StringIO(""))[-1] == [("", "")]


# === Text that is typed ===


class Screen(DummyOutput):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.written = ""

    def write(self, data: str) -> None:
        self.written += data


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe:
        yield pipe


@pytest.fixture
def typed(copying_model: Callable, keyboard: PipeInput) -> Callable:
    def type_keys(keys: str, wait_k: int = 0) -> tuple[list[str], str]:
        keyboard.send_text(keys)
        screen = Screen()
        return type_live(copying_model(str.upper), wait_k, keyboard, screen), screen.written

    return type_keys


def test_typed_lines_are_translated(typed: Callable) -> None:
    translations, screen = typed(f"one two{ENTER}thé{ENTER}{CTRL_D}")
    assert translations == ["ONE TWO", "THÉ"]
    assert screen.index("  ONE TWO\n") < screen.index("  THÉ\n")


@pytest.mark.parametrize(("wait_k", "so_far"), [(0, False), (1, True)])
def test_the_translation_so_far_stands_under_the_line(
    copying_model: Callable, keyboard: PipeInput, wait_k: int, so_far: bool
) -> None:
    screen = Screen()

    def type_keys() -> None:
        keyboard.send_text("one two ")
        give_up = time.monotonic() + 20
        while ("ONE" if so_far else "one two") not in screen.written and time.monotonic() < give_up:
            time.sleep(0.01)
        keyboard.send_text(CTRL_C)

    hands = threading.Thread(target=type_keys)
    hands.start()
    assert type_live(copying_model(str.upper), wait_k, keyboard, screen) == []
    hands.join()
    assert ("ONE" in screen.written) == so_far


def test_what_is_taken_back_is_translated_anew(typed: Callable) -> None:
    keys = f"one two{BACKSPACE * 3}six{ENTER}{CTRL_D}"
    assert typed(keys, wait_k=1)[0] == typed(keys)[0] == ["ONE SIX"]


def test_an_empty_line_has_an_empty_translation(typed: Callable) -> None:
    assert typed(f"{ENTER}one{ENTER}{CTRL_D}")[0] == ["", "ONE"]
