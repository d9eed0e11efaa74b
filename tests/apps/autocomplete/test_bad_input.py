"""Input that cannot be used: exit code 2, one line that says how to mend it, and nothing left behind."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("_load_each_export_once")

TRAIN = ("--units", "4", "--epochs", "1", "--steps-per-epoch", "1", "--batch-size", "2", "--out", "run")


def write_files(folder: Path) -> list[str]:
    (folder / "empty.txt").write_text("")
    (folder / "blank.txt").write_text(" \n\n \t\n")
    (folder / "tiny.txt").write_text("Only these few words.")
    (folder / "word.txt").write_text("Word")
    (folder / "marks.txt").write_text("?! .. ;; " * 400)
    (folder / "once.txt").write_text(" ".join(f"word{number}" for number in range(900)))
    (folder / "same.txt").write_text("The very same sentence comes again and again, all through the text.\n\n" * 90)
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 3000)
    (folder / "folder").mkdir()
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("nowhere.txt", ["'nowhere.txt' is neither a file or folder here nor a dataset of text"]),
        ("", ["neither a file or folder here"]),
        ("empty.txt", ["empty.txt is empty"]),
        ("blank.txt", ["blank.txt is empty"]),
        ("tiny.txt", ["no token occurs 2 times", "give more text"]),
        ("word.txt", ["word.txt holds too little text", "expected 2,000 characters or more"]),
        ("marks.txt", ["no word"]),
        ("once.txt", ["no token occurs 2 times", "give more text"]),
        ("same.txt", ["no words for validation that an earlier split does not hold too"]),
        ("binary.txt", ["binary.txt"]),
        ("picture.png", ["picture.png"]),
        ("folder", ["folder holds no .txt or .md file"]),
        ("tfds:", ["tfds:"]),
    ],
)
def test_text_that_cannot_be_learned_from(runnel: Callable, tmp_path: Path, source: str, parts: list[str]) -> None:
    there = write_files(tmp_path)
    code, out, err = runnel("train", "autocomplete", "--data", source, *TRAIN)
    assert (code, err.count("\n")) == (2, 1), (out, err)
    assert all(part in err for part in parts), err
    assert sorted(path.name for path in tmp_path.iterdir()) == there


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--level", "words"], "'words'"),
        (["--units", 0], "received --units 0; expected at least 1"),
        (["--dropout", 1], "received --dropout 1.0; expected a number from 0 up to, not including, 1"),
        (["--vocabulary", 3], "received --vocabulary 3; expected at least 16"),
        (["--learning-rate", "nan"], "--learning-rate nan"),
        (["--cell", "rnn"], "'rnn'"),
        (["--cache", "maybe"], "maybe"),
        (["--init-from", "nowhere"], "nowhere"),
        (["--wings", 2], "--wings"),
    ],
)
def test_options_that_cannot_be(runnel: Callable, tmp_path: Path, options: list, part: str) -> None:
    code, out, err = runnel("train", "autocomplete", "--data", "nowhere.txt", "--out", "run", *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert part in err, err
    assert list(tmp_path.iterdir()) == []


def test_a_batch_wider_than_the_text(runnel: Callable, tmp_path: Path, sentences: Callable) -> None:
    (tmp_path / "short.txt").write_text(sentences(60, 1))
    options = ["--batch-size", 2000, "--out", "run"]
    code, _, err = runnel("train", "autocomplete", "--data", "short.txt", *options)
    assert (code, err.count("\n")) == (2, 1)
    assert "expected at least 2001; give more text" in err
    assert not (tmp_path / "run").exists()


def test_out_that_holds_something_else(runnel: Callable, tmp_path: Path, trained: Any) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    code, _, err = runnel("train", "autocomplete", "--data", trained.text, *TRAIN)
    assert (code, err.count("\n")) == (2, 1)
    assert "holds no training run" in err
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("source", ["nowhere.txt", "word.txt", "binary.txt", "marks.txt"])
def test_evaluate_refuses(runnel: Callable, trained: Any, tmp_path: Path, source: str) -> None:
    write_files(tmp_path)
    code, out, err = runnel("evaluate", trained.export, "--data", source)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert source in err


@pytest.mark.parametrize("verb", ["predict", "stream", "evaluate"])
def test_what_is_no_export(runnel: Callable, tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    (tmp_path / "export").mkdir()
    code, out, err = runnel(verb, "export", *(["text"] if verb == "predict" else []))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no readable manifest.json" in err
