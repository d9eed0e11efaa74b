"""Input that cannot be used: exit code 2, one line that says how to mend it, and nothing left behind."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TRAIN = ("--units", "4", "--embedding", "4", "--vocabulary", "400", "--epochs", "1", "--steps-per-epoch", "1")


def write_files(folder: Path) -> list[str]:
    (folder / "empty.tsv").write_text("")
    (folder / "blank.tsv").write_text("\n \n\t\n")
    (folder / "one_column.tsv").write_text("Only the source.\n" * 50)
    (folder / "one_side.tsv").write_text("Only the source.\t\n" * 50)
    (folder / "few.tsv").write_text("a cat\tun chat\na dog\tun chien\n")
    (folder / "same.tsv").write_text("".join(f"the same\tle même {number}\n" for number in range(90)))
    (folder / "long.tsv").write_text("".join(f"{number} {'long ' * 150}\tlong {number}\n" for number in range(90)))
    (folder / "many.tsv").write_text("".join(f"{chr(0x4E00 + n) * 2}\t{chr(0x5200 + n) * 2}\n" for n in range(90)))
    (folder / "once.tsv").write_text("".join(f"{chr(0x4E00 + n)}\t{chr(0x5200 + n)}\n" for n in range(90)))
    (folder / "binary.tsv").write_bytes(bytes(range(256)) * 20)
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 3000)
    (folder / "folder").mkdir()
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("nowhere.tsv", ["'nowhere.tsv' is neither a file or folder here nor a dataset of pairs"]),
        ("", ["neither a file or folder here"]),
        ("empty.tsv", ["empty.tsv holds no text"]),
        ("blank.tsv", ["blank.tsv holds no text"]),
        ("one_column.tsv", ["50 lines without a tab (first: line 1)", "source TAB target"]),
        ("one_side.tsv", ["50 lines with nothing on one side"]),
        ("few.tsv", ["few.tsv has too few pairs"]),
        ("same.tsv", ["same.tsv has too few pairs", "out of 1 different sources"]),
        ("long.tsv", ["the train split of", "100 subwords at most", "larger --longest-sentence"]),
        ("many.tsv", ["received a vocabulary size of 400; expected", "at least"]),
        ("once.tsv", ["no character but a space occurs 2 times"]),
        ("binary.tsv", ["binary.tsv"]),
        ("picture.png", ["picture.png"]),
        ("folder", ["folder"]),
        ("tfds:", ["tfds:"]),
    ],
)
def test_pairs_that_cannot_be_learned_from(runnel: Callable, tmp_path: Path, source: str, parts: list[str]) -> None:
    there = write_files(tmp_path)
    code, out, err = runnel("train", "translation", "--data", source, "--out", "run", *TRAIN)
    assert (code, err.count("\n")) == (2, 1), (out, err)
    assert all(part in err for part in parts), err
    assert sorted(path.name for path in tmp_path.iterdir()) == there


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--attention", "none", "--simultaneous", "True"], "received --simultaneous True with --attention none"),
        (["--encoder", "bidirectional", "--simultaneous", "True"], "--simultaneous True with --encoder bidirectional"),
        (["--attention", "multiplicative"], "'multiplicative'"),
        (["--encoder", "both"], "'both'"),
        (["--simultaneous", "perhaps"], "perhaps"),
        (["--units", 0], "received --units 0; expected at least 1"),
        (["--window", 64], "received --window 64; expected at least 121"),
        (["--dropout", 1], "received --dropout 1.0; expected a number from 0 up to, not including, 1"),
        (["--vocabulary", 12], "received --vocabulary 12; expected at least 300"),
        (["--whole-share", 0], "received --whole-share 0.0; expected a number above 0, up to 1"),
        (["--learning-rate", "nan"], "--learning-rate nan"),
        (["--cell", "rnn"], "'rnn'"),
        (["--init-from", "nowhere"], "nowhere"),
        (["--wings", 2], "--wings"),
    ],
)
def test_options_that_cannot_be(runnel: Callable, tmp_path: Path, options: list, part: str) -> None:
    code, out, err = runnel("train", "translation", "--data", "nowhere.tsv", "--out", "run", *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert part in err, err
    assert list(tmp_path.iterdir()) == []


def test_out_that_holds_something_else(runnel: Callable, tmp_path: Path, trained: Any) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    code, _, err = runnel("train", "translation", "--data", trained.pairs, "--out", "run", *TRAIN)
    assert (code, err.count("\n")) == (2, 1)
    assert "holds no training run" in err
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.txt"]


@pytest.mark.usefixtures("_load_each_export_once")
@pytest.mark.parametrize("source", ["nowhere.tsv", "one_column.tsv", "binary.tsv", "few.tsv", "empty.tsv"])
def test_evaluate_refuses(runnel: Callable, trained: Any, tmp_path: Path, source: str) -> None:
    write_files(tmp_path)
    code, out, err = runnel("evaluate", trained.export, "--data", source)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert source in err


def test_predict_without_a_text(runnel: Callable, trained: Any) -> None:
    code, out, err = runnel("predict", trained.export)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "received no input" in err


@pytest.mark.parametrize("verb", ["predict", "stream", "evaluate"])
def test_what_is_no_export(runnel: Callable, tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    (tmp_path / "export").mkdir()
    code, out, err = runnel(verb, "export", *(["text"] if verb == "predict" else []))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no readable manifest.json" in err
