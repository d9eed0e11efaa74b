import numpy as np
import pytest

from runnel.datasets.series.read_for_columns import read_for_columns
from runnel.shared.errors import InputError


def refusal(*args, **options):
    with pytest.raises(InputError) as caught:
        read_for_columns(*args, **options)
    return str(caught.value)


def test_columns_come_in_the_order_of_the_export(write):
    path = write("date,extra,a,b\n1970-01-01,x,1,10\n1970-01-02,y,2,20\n", "new.csv")
    (series,) = read_for_columns(path, ["b", "a"], "date", None)
    assert series.series_id == "new"
    assert series.timestamps.tolist() == [0, 86400]
    assert series.values.tolist() == [[10, 1], [20, 2]]


def test_constant_and_empty_columns_are_accepted(write):
    (series,) = read_for_columns(write("date,a,b\n1970-01-01,5,\n1970-01-02,5,\n"), ["a", "b"], "date", None)
    np.testing.assert_array_equal(series.values, [[5, np.nan], [5, np.nan]])


def test_series_and_found_time_column(write):
    path = write("id,date,a\nn,1970-01-01,1\ns,1970-01-01,2\n")
    assert [series.series_id for series in read_for_columns(path, ["a"], None, "id")] == ["n", "s"]


def test_time_column_of_another_name_is_found(write):
    (series,) = read_for_columns(write("when,a\n1970-01-02,1\n"), ["a"], "date", None)
    assert series.timestamps.tolist() == [86_400]


def test_options_of_csv_files(write):
    path = write("date/a\n1970-01-01/1,234\n")
    (series,) = read_for_columns(path, ["a"], "date", None, decimal=",", delimiter="/")
    assert series.values.tolist() == [[np.float32(1.234)]]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("date,b\n1970-01-01,1\n", "has no column 'a'"),
        ("when,a\nsoon,1\n", "no column holds dates"),
        ("date,a\n1970-01-01,x\n", "row 2, column 'a' holds 'x', which is not a number"),
        ("date,a\n1970-01-02,1\n1970-01-01,2\n", "row 3 (1970-01-01) is earlier"),
        ("date,a\n", "no rows"),
    ],
)
def test_the_same_errors_as_in_training(write, content, expected):
    assert expected in refusal(write(content), ["a"], "date", None)
