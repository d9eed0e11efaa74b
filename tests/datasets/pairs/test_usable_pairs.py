import pytest

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.usable_pairs import Problems, usable_pairs
from runnel.shared.errors import InputError

GOOD = [("yes", "oui")] * 9


def refusal(lines):
    with pytest.raises(InputError) as caught:
        usable_pairs("data.tsv", lines, [], mend="two columns")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_only_ascii_whitespace_is_stripped():
    notes = []
    pairs = usable_pairs("data.tsv", [(" Go! ", "\u202fVa\u202f! \r"), ("\x0b\x0cRun.", "\xa0Cours.")], notes, "")
    assert pairs == Pairs(("Go!", "Run."), ("\u202fVa\u202f!", "\xa0Cours."))
    assert notes == []


def test_problems_are_counted_with_the_first_line():
    lines = [*GOOD, (None, None), ("no", None), ("no", " "), (" \t", "non"), (None, None)]
    notes = []
    assert usable_pairs("data.tsv", lines, notes, "") == Pairs.of(GOOD)
    assert notes == [
        (
            "data.tsv: left out 2 lines not UTF-8 (first: line 10), 1 line without a tab (first: line 11), "
            "2 lines with nothing on one side (first: line 12)"
        )
    ]


def test_blank_lines_are_no_problem():
    notes = []
    assert usable_pairs("data.tsv", [("", None), *GOOD, (" ", None), ("", "")], notes, "") == Pairs.of(GOOD)
    assert notes == []


def test_nothing_usable():
    assert refusal([]) == "data.tsv holds no text; expected two columns; give another file"
    assert "holds no text" in refusal([("", None), (" ", "")])
    assert "holds 0 usable pairs and 1 line without a tab (first: line 1)" in refusal([("no", None)])


def test_hardly_anything_usable():
    assert "holds 9 usable pairs and 10 lines not UTF-8 (first: line 10)" in refusal(GOOD + [(None, None)] * 10)
    assert len(usable_pairs("data.tsv", GOOD + [(None, None)] * 9, [], "")) == 9
    assert "holds 1 usable pair and" in refusal([*GOOD[:1], ("", "x"), ("x", "")])


def test_large_numbers_are_readable():
    problems = Problems()
    for number in range(1234, 3234):
        problems.add("not UTF-8", number)
    assert str(problems) == "2,000 lines not UTF-8 (first: line 1,234)"
