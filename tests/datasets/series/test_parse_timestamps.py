import datetime

import numpy as np
import pyarrow as pa
import pytest

from runnel.datasets.series.parse_timestamps import find_time_column, parse_timestamps
from runnel.datasets.series.raw_table import RawTable
from runnel.shared.errors import InputError

DAY = 86400
JANUARY_31_2020 = 18292 * DAY  # 50 years of 365 days, 12 leap days, 30 days of January.


def table_of(**columns):
    arrays = {name: pa.chunked_array([pa.array(values)]) for name, values in columns.items()}
    rows = len(next(iter(columns.values())))
    return RawTable("t.csv", arrays, np.arange(2, 2 + rows))


def seconds(*values, name="time"):
    return parse_timestamps(table_of(**{name: list(values)}), name).seconds.tolist()


def refusal(*values, name="time"):
    with pytest.raises(InputError) as caught:
        seconds(*values, name=name)
    return str(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        "2020-01-31",
        "2020/01/31",
        "20200131",
        "2020-01-31 00:00",
        "2020-01-31T00:00:00",
        "2020-01-31T00:00:00Z",
        "2020-01-31T01:00:00+01:00",
        "2020-01-30 19:00:00-05:00",
        "31.01.2020",
        "31.1.2020 00:00",
        "31.01.20",
        "31/01/2020",
        "01/31/2020",
        "1/31/2020 12:00 AM",
        "1/31/20",
        "31-01-2020",
        "31-Jan-2020",
        "31 January 2020",
        "Jan 31, 2020",
        "January 31 2020",
        "1580428800",
        "1580428800.0",
        "1580428800000",
        "1580428800000000",
        "1580428800000000000",
    ],
)
def test_ways_to_write_one_day(written):
    assert seconds(written) == [JANUARY_31_2020]


def test_months_and_years():
    assert seconds("1970-02", "1970-03") == [31 * DAY, 59 * DAY]
    assert seconds("Feb 1970", "Mar 1970") == [31 * DAY, 59 * DAY]
    assert seconds("1969", "1971", name="year") == [-365 * DAY, 365 * DAY]
    assert seconds("0", "1", "2") == [0, 1, 2]  # A counter is as good as seconds when the user names it.


def test_typed_columns():
    assert seconds(datetime.date(1970, 1, 2)) == [DAY]
    assert seconds(datetime.datetime(1970, 1, 2, 0, 0, 1, 500)) == [DAY + 1]
    zone = datetime.timezone(datetime.timedelta(hours=2))
    assert seconds(datetime.datetime(1970, 1, 2, tzinfo=zone)) == [DAY - 7200]
    assert seconds(1580428800, 1580428801) == [JANUARY_31_2020, JANUARY_31_2020 + 1]
    assert seconds(1580428800.5) == [JANUARY_31_2020]
    assert seconds(20200131) == [JANUARY_31_2020]


def test_fractions_of_a_second_are_cut_off_and_reported():
    for value in ("1969-12-31 23:59:58.5", "-1.5"):
        times = parse_timestamps(table_of(time=[value]), "time")
        assert times.seconds.tolist() == [-2]
        assert times.has_fractions
    assert not parse_timestamps(table_of(time=["2020-01-31 00:00:00.000"]), "time").has_fractions


def test_the_whole_column_decides_between_day_and_month():
    assert seconds("01/02/1970", "13/02/1970") == [31 * DAY, 43 * DAY]
    assert seconds("01/02/1970", "01/13/1970") == [1 * DAY, 12 * DAY]
    assert seconds("05/05/1970", "06/06/1970") == [124 * DAY, 156 * DAY]  # Both readings agree.


def test_day_or_month_is_refused_where_nothing_decides():
    message = refusal("01/01/2020", "03/04/2020")
    assert message.startswith("t.csv: row 3, column 'time' holds '03/04/2020', which may be 03 April or 04 March")
    assert "ISO dates" in message
    assert "which may be" in refusal("03-04-2020 10:00")
    assert seconds("03.04.1970") == [92 * DAY]  # Points are written day first.


@pytest.mark.parametrize(
    ("values", "row", "bad"),
    [
        (["2020-01-01", "2020-01-02", "yesterday"], 4, "yesterday"),
        (["2020-01-01", "2020-13-02", "2020-01-03"], 3, "2020-13-02"),
        (["01.02.2020", "02.02.2020", "30.02.2020"], 4, "30.02.2020"),
        (["13/01/2020", "14/01/2020", "01/15/2020"], 4, "01/15/2020"),
        (["20200101", "20200230", "20200301"], 3, "20200230"),
        (["20200101", "20201301", "20200301"], 3, "20201301"),
        (["a", "b"], 2, "a"),
    ],
)
def test_what_is_no_date_is_named(values, row, bad):
    assert refusal(*values).startswith(f"t.csv: row {row}, column 'time' holds '{bad}', which is not a date")


@pytest.mark.parametrize("missing", ["", "NA", "-"])
def test_a_missing_time_is_named(missing):
    assert refusal("2020-01-01", missing).startswith("t.csv: row 3 has no time in column 'time'")


def test_other_types_are_refused():
    assert "column 'time' holds bool; expected dates" in refusal(True)
    assert "too large for a time" in refusal("99999999999999999999999")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"day": ["2020-01-01", "2020-01-02"], "x": ["1", "2"]}, "day"),
        ({"x": ["1.5", "2"], "when": ["1.2.2020", "13.2.2020"]}, "when"),
        ({"Date": ["2020-01-01", "2020-01-02"], "Volume": ["1580428800", "1580515200"]}, "Date"),
        ({"Volume": ["1580428800", "1580515200"], "timestamp": ["1580428800", "1580515200"]}, "timestamp"),
        ({"DATE": ["20000101", "20000102"], "MONTH": ["1", "1"]}, "DATE"),
        ({"Year": ["1700", "1701"], "sunspots": ["5", "11"]}, "Year"),
        ({"time": [1580428800, 1580515200], "x": [0.5, 1.5]}, "time"),
        ({"t": [datetime.date(2020, 1, 1)], "x": [1580428800]}, "t"),
        ({"day": ["2020-01-01", "2020-01-02", "oops"], "x": ["a", "b", "c"]}, "day"),
        ({"day": ["2020-01-01", "2020-01-02"], "updated": ["2020-01-01", "2020-01-02"]}, None),
        ({"a": ["1", "2"], "Volume": ["1580428800", "1580515200"]}, None),
        ({"clock": ["10:30", "10:31"], "word": ["may", "june"]}, None),
        ({"": ["", ""]}, None),
        ({"date": ["2020-01-01 CET"], "x": ["a"]}, "date"),  # Whose values are refused by name.
    ],
)
def test_find_time_column(columns, expected):
    if expected:
        assert find_time_column(table_of(**columns)) == expected
    else:
        with pytest.raises(InputError, match="--time-column"):
            find_time_column(table_of(**columns))


def test_the_series_id_is_no_candidate():
    assert find_time_column(table_of(day=["2020-01-01"], batch=["2020-01-01"]), "batch") == "day"
