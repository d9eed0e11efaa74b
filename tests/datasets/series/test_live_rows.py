import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from runnel.datasets.series.live_rows import LiveRow, read_live_rows
from runnel.shared.errors import InputError

MARCH_5 = 1_583_366_400  # 2020-03-05


def read(lines: list[str], time_column: str | None = "t", series_id: str | None = None, **options: str):
    complaints: list[str] = []
    rows = read_live_rows(lines, ["a", "b"], time_column, series_id, complain=complaints.append, **options)
    return list(rows), complaints


def only(lines: list[str], **options: str) -> LiveRow:
    (row,), complaints = read(lines, **options)
    assert complaints == []
    return row


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2020-03-05", MARCH_5),
        ("2020-03-05 00:00:07", MARCH_5 + 7),
        ("2020-03-05T00:00:07.9Z", MARCH_5 + 7),
        ("2020/03/05", MARCH_5),
        ("2020/03/05 00:00:07", MARCH_5 + 7),
        ("2020-03-05T01:00:00+01:00", MARCH_5),
        ("2020-03-04T19:00:00-05:00", MARCH_5),
        ("05.03.2020", MARCH_5),
        ("25/12/2020", 1_608_854_400),
        (str(MARCH_5), MARCH_5),
        (str(MARCH_5 * 1000), MARCH_5),
        ("20200305", MARCH_5),
        ("-5", -5),
    ],
)
def test_times(text, seconds):
    assert only(["t,a,b", f"{text},1,2"]).timestamp == seconds


@pytest.mark.parametrize(
    "text", ["", "nan", "soon", "1e300", "99999999999999999999", "03/04/2020", "2020-13-01", "0000-01-01"]
)
def test_a_row_without_a_time_is_left_out(text):
    rows, (complaint,) = read(["t,a,b", f"{text},1,2", "2020-03-05,1,2"])
    assert [row.timestamp for row in rows] == [MARCH_5]
    assert complaint.startswith("standard input: ")
    assert complaint.endswith("; row left out")
    assert "\n" not in complaint


@pytest.mark.parametrize(
    ("lines", "options", "values"),
    [
        (["t,a,b", "2020-03-05,1.5,-2"], {}, [1.5, -2]),
        (["t;a;b", "2020-03-05;1,5;2"], {}, [1.5, 2]),
        (["t;a;b", "2020-03-05;1.234,5;2"], {"decimal": ","}, [1234.5, 2]),
        (["t|a|b", "2020-03-05|1|2"], {}, [1, 2]),
        (["t\ta\tb", "2020-03-05\t1\t2"], {"delimiter": "tab"}, [1, 2]),
        (["b,extra,t,a", '2,"x, y",2020-03-05,1'], {}, [1, 2]),
        (["\ufefft, a ,b", "2020-03-05, 1 ,2 "], {}, [1, 2]),
        (["t,a,b", "2020-03-05,,na"], {}, [np.nan, np.nan]),
        (["t,a,b", "2020-03-05,1e3,+2."], {}, [1000, 2]),
    ],
)
def test_values(lines, options, values):
    row = only(lines, **options)
    np.testing.assert_array_equal(row.values, np.array(values, np.float32))
    assert row.values.dtype == np.float32


@pytest.mark.parametrize("text", ["x", "inf", "-inf", "1e39", "1_000", "0x10", "1,5 apples"])
def test_a_value_that_is_no_number_counts_as_missing(text):
    (row,), (complaint,) = read(["t;a;b", f"2020-03-05;{text};2"])
    np.testing.assert_array_equal(row.values, [np.nan, 2])
    assert "row 2, column 'a'" in complaint
    assert complaint.endswith("; counted as missing")


def test_a_number_that_may_be_two_counts_as_missing():
    (row,), (complaint,) = read(["t;a;b", "2020-03-05;1,234;2"])
    assert np.isnan(row.values[0])
    assert "fraction or thousands" in complaint


def test_series_and_blank_lines():
    rows, complaints = read(["t,who,a,b", "", "2020-03-05,x,1,2", "  ", "2020-03-05,,1,2"], series_id="who")
    assert [row.series_id for row in rows] == ["x", ""]
    assert complaints == []


@pytest.mark.parametrize("time_column", [None, "hour"])
def test_time_is_found_where_it_is_not_named(time_column):
    rows, complaints = read(["a,day,b", "1", "1,2020-03-05,2"], time_column=time_column)
    assert [row.timestamp for row in rows] == [MARCH_5]
    assert len(complaints) == 1


def test_no_time_at_all_is_refused():
    with pytest.raises(InputError, match="no column holds dates"):
        read(["a,b,c", "1,2,x"], time_column=None)


@pytest.mark.parametrize("line", ["2020-03-05,1", "2020-03-05,1,2,3", '2020-03-05,"1,2', '"', "x" * 200_000])
def test_a_broken_line_is_left_out_and_swallows_no_other(line):
    rows, complaints = read(["t,a,b", line, "2020-03-05,1,2"])
    assert [row.timestamp for row in rows] == [MARCH_5]
    assert len(complaints) == 1
    assert len(complaints[0]) < 300


@pytest.mark.parametrize(
    ("header", "series_id"), [("", None), ("t,a", None), ("t,a,a,b", None), ("x y z", None), ("t,a,b", "who")]
)
def test_header_is_checked_before_any_row_is_asked_for(header, series_id):
    lines = itertools.chain([header], (pytest.fail("read a row") for _ in range(1)))
    with pytest.raises(InputError, match="expected a line of column names") as caught:
        read_live_rows(lines, ["a", "b"], "t", series_id, complain=pytest.fail)
    assert "\n" not in str(caught.value)


def test_rows_are_read_one_at_a_time():
    taken = 0

    def arriving() -> Iterator[str]:
        nonlocal taken
        yield "t,a,b\n"
        for taken in range(1, 4):
            yield f"2020-03-0{taken},1,2\n"

    for count, _ in enumerate(read_live_rows(arriving(), ["a", "b"], "t", None, complain=pytest.fail), 1):
        assert taken == count
