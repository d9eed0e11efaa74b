"""Input that cannot be used: exit code 2, one line that says how to mend it, and nothing left behind."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.usefixtures("_load_each_export_once")

ROWS = 60
TRAIN = ("--context", "8", "--horizon", "2", "--units", "4", "--epochs", "1", "--steps-per-epoch", "1", "--out", "run")


def good_rows() -> list[list[str]]:
    times = pd.date_range("2024-01-01", periods=ROWS, freq="D").strftime("%Y-%m-%d")
    random = np.random.default_rng(0)
    return [[time, f"{10 + random.normal():.3f}", f"{random.normal():.3f}"] for time in times]


def table(rows: list[list[str]], header: str = "day,level,rain") -> str:
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def changed(row: int, column: int, cell: str) -> str:
    rows = good_rows()
    rows[row][column] = cell
    return table(rows)


def with_column(column: int, cell: str) -> str:
    return table([[*row[:column], cell, *row[column + 1 :]] for row in good_rows()])


def unknown(begin: int, end: int) -> str:
    return table([[d, "" if begin <= index < end else x, r] for index, (d, x, r) in enumerate(good_rows())])


rows = good_rows()
BAD_FILES: dict[str, tuple[str, tuple[str, ...], list[str]]] = {
    "missing target": (table(rows), ("--target", "depth"), ["no column 'depth'", "'level', 'rain'"]),
    "missing feature": (table(rows), ("--target", "level", "--features", "wind"), ["no column 'wind'"]),
    "missing time": (table(rows), ("--target", "level", "--time-column", "hour"), ["no column 'hour'"]),
    "missing series id": (table(rows), ("--target", "level", "--series-id", "place"), ["no column 'place'"]),
    "no time at all": (
        table([row[1:] for row in rows], "level,rain"),
        ("--target", "level"),
        ["no column holds dates"],
    ),
    "no target named": (table(rows), (), ["--target"]),
    "target named twice": (table(rows), ("--target", "level", "level"), ["twice in --target"]),
    "text in a number column": (changed(30, 1, "calm"), ("--target", "level"), ["row 32", "'level'", "'calm'"]),
    "text in a time column": (changed(30, 0, "monday"), ("--target", "level"), ["row 32", "'day'", "'monday'"]),
    "infinity": (changed(30, 1, "inf"), ("--target", "level"), ["row 32", "'level'", "infinite"]),
    "unsorted": (table([*rows[:20], rows[21], rows[20], *rows[22:]]), ("--target", "level"), ["earlier than row"]),
    "duplicate": (table([*rows[:20], rows[19], *rows[20:]]), ("--target", "level"), ["rows 21 and 22", "same time"]),
    "all missing": (with_column(1, ""), ("--target", "level"), ["'level' has no value"]),
    "constant target": (with_column(1, "3.5"), ("--target", "level"), ["'level' has the value 3.5 in every row"]),
    "constant feature": (with_column(2, "1"), ("--target", "level"), ["'rain' has the value 1", "--features"]),
    "too few rows": (table(rows[:12]), ("--target", "level"), ["received 12 rows", "--context"]),
    "one row": (table(rows[:1]), ("--target", "level"), ["received 1 rows"]),
    "header only": (table([]), ("--target", "level"), ["no rows"]),
    "empty": ("", (), ["is empty"]),
    "blank": ("\n\n", (), ["empty"]),
    "ragged": (table([*rows[:20], [*rows[20], "9"], *rows[21:]]), ("--target", "level"), ["row 22 has 4 values"]),
    "bad decimal": (table(rows), ("--target", "level", "--decimal", ";"), ["--decimal is ';'"]),
    "unknown in training": (unknown(0, 42), ("--target", "level"), ["'level' has no value in the rows for training"]),
    "unknown in validation": (unknown(40, 49), ("--target", "level"), ["no value in the rows for validation"]),
    "unknown in test": (unknown(47, ROWS), ("--target", "level"), ["no value in the rows for test"]),
    "one series unknown before its test": (
        table(
            [[*row, "a"] for row in rows] + [[day, "", rain, "b"] for day, _, rain in rows[:-1]] + [[*rows[-1], "b"]],
            "day,level,rain,place",
        ),
        ("--target", "level", "--series-id", "place"),
        ["series 'b' has no value of 'level' before its test rows"],
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_train_refuses(case: str, runnel: Callable, tmp_path: Path) -> None:
    content, options, parts = BAD_FILES[case]
    (tmp_path / "rows.csv").write_text(content)
    code, out, err = runnel("train", "forecasting", "--data", "rows.csv", *options, *TRAIN)
    assert (code, err.count("\n")) == (2, 1), (out, err)
    assert all(part in err for part in parts), err
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("nowhere.csv", "nowhere.csv is not there"),
        ("sp500", "neither a file here nor a dataset"),
        (".", "is a folder"),
        ("rows.zip", "zip"),
        ("rows.bin", "is not text"),
        ("rows.parquet", "not a complete Parquet file"),
    ],
)
def test_source_that_is_no_table(runnel: Callable, tmp_path: Path, source: str, part: str) -> None:
    (tmp_path / "rows.zip").write_bytes(b"PK\x03\x04rest")
    (tmp_path / "rows.bin").write_bytes(b"a,b\n\0\1\2")
    (tmp_path / "rows.parquet").write_bytes(b"PAR1half")
    code, _, err = runnel("train", "forecasting", "--data", source, *TRAIN)
    assert (code, err.count("\n")) == (2, 1)
    assert part in err
    assert not (tmp_path / "run").exists()


def test_out_that_holds_something_else(runnel: Callable, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(table(rows))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    code, _, err = runnel("train", "forecasting", "--data", "rows.csv", "--target", "level", *TRAIN)
    assert (code, err.count("\n")) == (2, 1)
    assert "holds no training run" in err
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("when,meter,flow,temperature\n2024-01-01,north,1,2\n", ["no column 'pressure'"]),
        ("when,flow,temperature,pressure\n2024-01-01,1,2,3\n", ["no column 'meter'"]),
        ("when,meter,flow,temperature,pressure\n2024-01-01,north,x,2,3\n", ["row 2", "'flow'", "'x'"]),
        ("when,meter,flow,temperature,pressure\n", ["no rows"]),
        ("", ["is empty"]),
    ],
)
def test_predict_and_evaluate_refuse(
    runnel: Callable, trained: object, tmp_path: Path, verb: str, content: str, parts: list[str]
) -> None:
    (tmp_path / "rows.csv").write_text(content)
    option = ["--data"] if verb == "evaluate" else []
    code, out, err = runnel(verb, trained.export, *option, "rows.csv")  # type: ignore[attr-defined]
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert all(part in err for part in parts), err


def test_evaluate_refuses_a_series_that_is_too_short(runnel: Callable, trained: object, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("when,meter,flow,temperature,pressure\n2024-01-01,n,1,2,3\n2024-01-02,n,2,3,4\n")
    code, _, err = runnel("evaluate", trained.export, "--data", "rows.csv")  # type: ignore[attr-defined]
    assert (code, err.count("\n")) == (2, 1)
    assert "received 2 rows" in err
