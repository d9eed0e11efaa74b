from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from runnel.apps.autocomplete import live
from runnel.apps.autocomplete.live import accept, type_live
from runnel.apps.autocomplete.typing_session import TypingSession

TAB, SHIFT_TAB, ENTER, BACKSPACE, CTRL_C, CTRL_D, LEFT = "\t", "\x1b[Z", "\r", "\x7f", "\x03", "\x04", "\x1b[D"


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe:
        yield pipe


@pytest.fixture
def type_keys(words: Any, keyboard: PipeInput) -> Callable[[str], str]:
    def type_keys(keys: str) -> str:
        keyboard.send_text(keys)
        return type_live(words, keyboard, DummyOutput())

    return type_keys


def best(words: Any, text: str, place: int = 0) -> str:
    return TypingSession(words).suggest(text)[place][0]


def test_lines_are_read_until_the_end_of_input(type_keys: Callable) -> None:
    assert type_keys(f"The quick{ENTER}fox é{ENTER}{CTRL_D}") == "The quick\nfox é\n"


def test_ctrl_c_ends_too(type_keys: Callable) -> None:
    assert type_keys(f"The quick{ENTER}fox{CTRL_C}") == "The quick\n"


def test_tab_accepts_the_first_suggestion(words: Any, type_keys: Callable) -> None:
    assert type_keys(f"The recordi{TAB}{ENTER}{CTRL_D}") == "The recording \n"


def test_shift_tab_accepts_the_second(words: Any, type_keys: Callable) -> None:
    assert type_keys(f"The re{SHIFT_TAB}{ENTER}{CTRL_D}") == f"The {best(words, 'The re', 1)} \n"


def test_tab_again_and_again_writes_words(words: Any, type_keys: Callable) -> None:
    first = f"{best(words, 'The ')} "
    second = f"{best(words, 'The ' + first)} "
    assert type_keys(f"The {TAB}{TAB}{ENTER}{CTRL_D}") == f"The {first}{second}\n"


def test_suggestions_know_the_lines_before(words: Any, type_keys: Callable) -> None:
    line = "The quick brown fox"
    assert type_keys(f"{line}{ENTER}{TAB}{ENTER}{CTRL_D}") == f"{line}\n{best(words, line + chr(10))} \n"


def test_backspace_over_a_word_boundary(words: Any, type_keys: Callable) -> None:
    keys = f"The recordi x{BACKSPACE}{BACKSPACE}{BACKSPACE}{TAB}{ENTER}{CTRL_D}"
    assert type_keys(keys) == f"The {best(words, 'The record')} \n"


def test_tab_in_the_middle_leaves_what_is_behind_the_cursor(type_keys: Callable) -> None:
    assert type_keys(f"recordi fox{LEFT * 4}{TAB}{ENTER}{CTRL_D}") == "recording  fox\n"


def test_tab_without_a_suggestion_does_nothing(type_keys: Callable) -> None:
    assert type_keys(f"The zzzq{TAB}{SHIFT_TAB}{ENTER}{CTRL_D}") == "The zzzq\n"


def test_every_line_of_the_toolbar_fits_a_terminal() -> None:
    words = [("recording", 0.5), ("record", 0.4), ("recorded", 0.1)]
    lines = "".join(text for _, text in live._toolbar(words)).splitlines()
    assert lines[0].split() == ["recording", "record", "recorded"]
    assert len(lines) == 2
    assert all(key in lines[1] for key in ("Tab", "Shift-Tab", "Enter", "Ctrl-D"))
    assert max(map(len, lines)) <= 79


@pytest.mark.parametrize(
    ("line", "word", "expected"),
    [
        ("", "The", "The "),
        ("The qu", "quick", "The quick "),
        ("The ", "the", "The the "),
        ("The quick", "quick", "The quick "),
        ("(re", "record", "(record "),
        ("well-", "well-known", "well-known "),
        ("banana", "banana", "banana "),
        ("ananas an", "ananas", "ananas ananas "),
    ],
)
def test_accept(line: str, word: str, expected: str) -> None:
    assert accept(line, word) == expected
