import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runnel.datasets.series.load_series import check_csv_options, load_series
from runnel.shared.errors import InputError

DAY = 86400
TWO_COLUMNS = "date,a,b\n1970-01-02,1,10\n1970-01-03,2,\n1970-01-05,4,40\n"
TWO_SERIES = """shop,date,sales,note
north,1970-01-01,1,x
south,1970-01-01,10,y
north,1970-01-02,2,x
south,1970-01-03,30,y
"""


def refusal(source, **options):
    with pytest.raises(InputError) as caught:
        load_series(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_one_series_by_hand(write):
    table = load_series(write(TWO_COLUMNS, "pump.csv"), targets=["b"])
    assert table.columns == ("b", "a")
    assert table.targets == ("b",)
    assert table.time_column == "date"
    assert table.series_id_column is None
    assert table.split_starts is None
    (series,) = table.series
    assert series.series_id == "pump"
    assert series.timestamps.dtype == np.int64
    assert series.timestamps.tolist() == [1 * DAY, 2 * DAY, 4 * DAY]
    assert series.values.dtype == np.float32
    np.testing.assert_array_equal(series.values, [[10, 1], [np.nan, 2], [40, 4]])


def test_many_series_of_one_file(write):
    table = load_series(write(TWO_SERIES), series_id="shop")
    assert table.columns == table.targets == ("sales",)
    assert table.series_id_column == "shop"
    assert [series.series_id for series in table.series] == ["north", "south"]
    assert [series.timestamps.tolist() for series in table.series] == [[0, DAY], [0, 2 * DAY]]
    assert [series.values.tolist() for series in table.series] == [[[1], [2]], [[10], [30]]]
    assert table.notes == ("left out, for they hold no numbers or have no name: 'note'",)


def test_ids_may_be_numbers_and_are_taken_as_written(write):
    table = load_series(write("id,date,v\n007,1970-01-01,1\n7,1970-01-01,2\n"), series_id="id")
    assert [series.series_id for series in table.series] == ["007", "7"]


def test_features_choose_the_columns(write):
    path = write("date,a,b,c\n1970-01-01,1,5,7\n1970-01-02,2,6,9\n")
    assert load_series(path, targets=["b", "a"]).columns == ("b", "a", "c")
    assert load_series(path, targets=["b"], features=["c"]).columns == ("b", "c")
    assert load_series(path, targets=["b"], features=["c", "b"]).columns == ("b", "c")


def test_the_only_column_of_numbers_is_the_target(write):
    table = load_series(write("date,word,v\n1970-01-01,x,1\n1970-01-02,y,2\n"))
    assert table.targets == ("v",)


def test_an_unnamed_index_is_never_a_feature_but_may_be_the_time(write):
    assert load_series(write(",date,v\n0,1970-01-01,1\n1,1970-01-02,2\n")).columns == ("v",)
    table = load_series(write(",v\n1970-01-01,1\n1970-01-02,2\n"))
    assert (table.time_column, table.columns) == ("column 1", ("v",))


def test_a_spreadsheet_from_europe(write):
    rows = ["Datum;Preis;Menge", "13.01.1970 00:30;1.234,5;7", "14.01.1970 00:00;-;8", "15.01.1970 00:00;2,5;9"]
    content = "\ufeff" + "\r\n".join(rows)
    table = load_series(write(content), targets=["Preis"])
    assert table.series[0].timestamps.tolist() == [12 * DAY + 1800, 13 * DAY, 14 * DAY]
    np.testing.assert_array_equal(table.series[0].values, [[1234.5, 7], [np.nan, 8], [2.5, 9]])


def test_csv_and_parquet_give_the_same(write, tmp_path):
    csv = load_series(write(TWO_COLUMNS), targets=["a"])
    stamps = pa.array([1 * DAY, 2 * DAY, 4 * DAY], pa.timestamp("s"))
    pq.write_table(pa.table({"date": stamps, "a": [1, 2, 4], "b": [10.0, None, 40.0]}), tmp_path / "p.parquet")
    parquet = load_series(tmp_path / "p.parquet", targets=["a"])
    np.testing.assert_array_equal(csv.series[0].values, parquet.series[0].values)
    assert csv.fingerprint == parquet.fingerprint


def test_fingerprint_follows_the_values(write):
    before = load_series(write(TWO_COLUMNS), targets=["a"]).fingerprint
    after = load_series(write(TWO_COLUMNS.replace("40", "41")), targets=["a"]).fingerprint
    assert before != after
    assert before != load_series(write(TWO_COLUMNS), targets=["b"]).fingerprint  # Another order of columns.


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"targets": ["aa"]}, "has no column 'aa' (--target); its columns are 'date', 'a', 'b'; did you mean 'a'?"),
        ({"targets": ["a"], "features": ["zzz"]}, "has no column 'zzz' (--features)"),
        ({"time_column": "when"}, "has no column 'when' (--time-column)"),
        ({"series_id": "shop"}, "has no column 'shop' (--series-id)"),
        ({}, "has 2 columns of numbers; expected to know which to forecast; name one or more with --target: 'a', 'b'"),
        ({"targets": ["a", "a"]}, "column 'a' is named twice in --target"),
        ({"targets": ["date"], "time_column": "date"}, "column 'date' is named by --time-column and by --target"),
        ({"targets": ["a"], "features": ["date"]}, "column 'date' is named by --time-column and by --features"),
        ({"targets": ["a"], "series_id": "a"}, "column 'a' is named by --series-id and by --target"),
        ({"decimal": ";"}, "--decimal is ';'; expected '.' or ','"),
        ({"delimiter": "ab"}, "--delimiter is 'ab'; expected one character"),
    ],
)
def test_options_that_do_not_fit(write, options, expected):
    assert expected in refusal(write(TWO_COLUMNS), **options)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("1970-01-01,1\n1970-01-02,oops\n1970-01-03,3", "row 3, column 'v' holds 'oops', which is not a number"),
        ("1970-01-01,1\nsoon,2\n1970-01-03,3", "row 3, column 'date' holds 'soon', which is not a date"),
        ("1970-01-01,1\n,2\n1970-01-03,3", "row 3 has no time in column 'date'"),
        ("1970-01-01,1\n1970-01-01,2", "rows 2 and 3 have the same time (1970-01-01)"),
        (
            "1970-01-01,1\n1970-01-03,2\n1970-01-02 12:00,3",
            "row 4 (1970-01-02 12:00:00) is earlier than row 3 (1970-01-03) before it",
        ),
        ("1970-01-02,1\n1970-01-03,2\n1970-01-02,3", "rows 2 and 4 have the same time (1970-01-02)"),
        ("1970-01-02,1\n1970-01-01,2", "sort the file by time"),
        ("1970-01-01,\n1970-01-02,NA", "column 'v' has no value in any row"),
        ("1970-01-01,5\n1970-01-02,5\n1970-01-03,", "column 'v' has the value 5 in every row that has any"),
        ("1970-01-01,1\n1970-01-02,inf", "row 3, column 'v' holds 'inf', which is infinite"),
        ("1970-01-01,1\n1970-01-02,2,3", "row 3 has 3 values where row 1 names 2 columns"),
        ("1970-01-01 00:00:00.1,1\n1970-01-01 00:00:00.9,2", "rows 2 and 3 fall into one second"),
        ("x,1\ny,2", "row 2, column 'date' holds 'x', which is not a date"),
        ("1970-01-01 CET,1\n1970-01-02 CET,2", "row 2, column 'date' holds '1970-01-01 CET', which is not a date"),
        ("1970-01-01,x\n1970-01-02,y", "has no column of numbers"),
    ],
)
def test_bad_rows_are_named(write, rows, expected):
    path = write(f"date,v\n{rows}\n")
    message = refusal(path)
    assert message.startswith(str(path))
    assert expected in message


def test_order_is_judged_within_each_series(write):
    path = write("id,date,v\na,1970-01-05,1\nb,1970-01-01,2\na,1970-01-06,3\nb,1970-01-01,4\n")
    assert "rows 3 and 5 of series 'b' have the same time (1970-01-01)" in refusal(path, series_id="id")
    path = write("id,date,v\na,1970-01-05,1\nb,1970-01-01,2\na,1970-01-04,3\nb,1970-01-02,4\n")
    assert "row 4 of series 'a' (1970-01-04) is earlier than row 2 (1970-01-05)" in refusal(path, series_id="id")
    assert "--series-id" in refusal(write("id,date,v\na,1970-01-01,1\nb,1970-01-01,2\n"), targets=["v"])


def test_the_first_break_in_the_file_is_named(write):
    path = write("id,date,v\na,1970-01-01,1\nb,1970-01-01,2\nb,1970-01-01,3\na,1970-01-01,4\n")
    assert "rows 3 and 4 of series 'b'" in refusal(path, series_id="id")


def test_missing_series_id(write):
    path = write("id,date,v\na,1970-01-01,1\n,1970-01-02,2\n")
    assert "row 3 has no series id in column 'id'" in refusal(path, series_id="id")


def test_useless_features_and_targets_are_told_apart(write):
    path = write("date,v,same,none\n1970-01-01,1,5,\n1970-01-02,2,5,\n")
    assert "leave 'same' out: list the others with --features" in refusal(path, targets=["v"])
    assert "choose another --target" in refusal(path, targets=["same"], features=["v"])
    assert "column 'none' has no value" in refusal(path, targets=["v"], features=["none"])
    assert load_series(path, targets=["v"], features=["v"]).columns == ("v",)


def test_a_series_without_any_target(write):
    path = write("id,date,v\na,1970-01-01,1\na,1970-01-02,2\nb,1970-01-01,\nb,1970-01-02,\n")
    assert "series 'b' has no value of 'v' in any row" in refusal(path, series_id="id")


def test_a_mark_for_missing_values_is_pointed_out(write):
    table = load_series(write("date,v\n1970-01-01,1\n1970-01-02,-9999\n1970-01-03,-9999\n1970-01-04,-3\n"))
    assert table.notes == (
        "column 'v' holds -9999 in 2 rows, taken as a number; leave those values empty if it marks missing ones",
    )
    assert load_series(write("date,v\n1970-01-01,-9999\n1970-01-02,-9998\n")).notes == ()


def test_one_row_is_left_to_the_application_to_refuse(write):
    assert load_series(write("date,v\n1970-01-01,1\n")).series[0].values.tolist() == [[1]]


def test_names_that_are_no_source():
    assert "expected a path, tfds:NAME, or one of pump_sensors, seattle_weather_daily, sp500_daily" in refusal("sp500")
    assert "folder/none.csv is not there" in refusal("folder/none.csv")


def test_csv_options():
    assert check_csv_options(None, None) == (None, None)
    assert check_csv_options(",", "semicolon") == (",", ";")
    assert check_csv_options(".", "tab") == (".", "\t")
    assert check_csv_options(".", "\\t") == (".", "\t")


def test_options_of_csv_files_do_not_go_with_datasets():
    assert "sp500_daily is a dataset" in refusal("sp500_daily", decimal=",")


def test_a_hundred_thousand_rows_cost_less_than_parsing_them_one_by_one(write):
    rng = np.random.default_rng(0)
    days = np.datetime64("2000-01-01T00:00") + np.arange(100_000).astype("timedelta64[m]")
    numbers = rng.normal(size=(100_000, 3)).round(4)
    lines = [f"{day},{a},{b},{c}" for day, (a, b, c) in zip(days, numbers.tolist(), strict=True)]
    path = write("\n".join(["time,a,b,c", *lines]))
    begin = time.perf_counter()
    table = load_series(path, targets=["a"])
    ours = time.perf_counter() - begin
    begin = time.perf_counter()
    plain = [(np.datetime64(stamp), *map(float, values)) for stamp, *values in (line.split(",") for line in lines)]
    one_by_one = time.perf_counter() - begin
    np.testing.assert_array_equal(table.series[0].values, numbers.astype(np.float32))
    assert table.series[0].timestamps[0] == plain[0][0].astype("datetime64[s]").astype(np.int64)
    assert ours < 10 * one_by_one  # A loop over rows in the reader would be far slower still.
