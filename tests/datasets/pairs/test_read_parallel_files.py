import pytest

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.read_parallel_files import read_parallel_files
from runnel.shared.errors import InputError


def refusal(source, target):
    with pytest.raises(InputError) as caught:
        read_parallel_files(source, target, [])
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_lines_belong_together(write):
    notes = []
    source = write("\ufeffGo.\r\n Run!\tnow\u2028 \r\n", "train.en")
    pairs = read_parallel_files(source, write("Va !\nCours !", "train.fr"), notes)
    assert pairs == Pairs(("Go.", "Run!\tnow\u2028"), ("Va !", "Cours !"))
    assert notes == []


def test_bad_lines_are_left_out_on_both_sides(write):
    notes = []
    source = write(b"one\ncaf\xe9\n\nfour\nfive\nsix\n", "train.en")
    target = write(b"un\ncaf\xc3\xa9\ntrois\nquatre\n\xff\nsix\n", "train.fr")
    assert read_parallel_files(source, target, notes) == Pairs(("one", "four", "six"), ("un", "quatre", "six"))
    assert notes == [
        (
            f"{source} with train.fr: left out 2 lines not UTF-8 (first: line 2), "
            "1 line with nothing on one side (first: line 3)"
        )
    ]


def test_different_numbers_of_lines(write):
    message = refusal(write("one\ntwo\nthree\n", "train.en"), write("un\ndeux\n", "train.fr"))
    assert "train.en and train.fr have 3 and 2 lines; expected as many" in message


def test_blank_and_missing_files(write, tmp_path):
    assert "train.fr holds no text" in refusal(write("", "train.en"), write("", "train.fr"))
    assert "0 usable pairs and 2 lines with nothing on one side" in refusal(
        write("a\nb\n", "train.en"), write("\n\n", "train.fr")
    )
    assert "train.de cannot be read" in refusal(write("a\n", "train.en"), tmp_path / "train.de")
