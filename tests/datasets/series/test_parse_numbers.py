import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.datasets.series.parse_numbers import looks_numeric, parse_numbers
from runnel.datasets.series.raw_table import MISSING_WORDS, RawTable
from runnel.shared.errors import InputError


def table_of(**columns):
    arrays = {name: pa.chunked_array([pa.array(values)]) for name, values in columns.items()}
    rows = len(next(iter(columns.values())))
    return RawTable("t.csv", arrays, np.arange(2, 2 + rows))


def numbers(values, decimal=None):
    return parse_numbers(table_of(x=values), ["x"], decimal)[:, 0].tolist()


def refusal(decimal=None, **columns):
    with pytest.raises(InputError) as caught:
        parse_numbers(table_of(**columns), list(columns), decimal)
    return str(caught.value)


def test_plain_numbers():
    assert numbers(["1", "-2.5", " +3 ", ".5", "5.", "1e3", "-1.5E-2"]) == [1, -2.5, 3, 0.5, 5, 1000, -0.015]


@pytest.mark.parametrize("word", [*MISSING_WORDS, "NA", "NaN", " null ", "None"])
def test_missing_words(word):
    assert np.isnan(numbers(["1", word])[1])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["1,5", "2,25"], [1.5, 2.25]),
        (["1.234,5", "7"], [1234.5, 7]),
        (["1 234,5", "1\u202f234,5", "1'234,5"], [1234.5, 1234.5, 1234.5]),
        (["1,234.5", "7"], [1234.5, 7]),
        (["1,234,567", "7"], [1234567, 7]),
        (["1.234.567", "7"], [1234567, 7]),
        (["0,123", "4"], [0.123, 4]),  # Groups never begin with a zero.
        (["1,234", "1,5"], [1.234, 1.5]),
        (["1,234", "1.5"], [1234, 1.5]),
        (["1 234", "2"], [1234, 2]),
        (["1.234", "2.345"], [1.234, 2.345]),
        (["True", "false", "", "TRUE"], [1, 0, np.nan, 1]),
    ],
)
def test_decimal_mark_and_thousands_are_found_out(written, expected):
    np.testing.assert_array_equal(numbers(written), expected)


def test_all_columns_decide_together():
    table = table_of(a=["1,234", "2"], b=["1,5", "2"], c=["1.234", "2"])
    np.testing.assert_array_equal(parse_numbers(table, ["a", "b", "c"]), [[1.234, 1.5, 1234], [2, 2, 2]])
    assert table.notes == ["the decimal mark is the comma"]


def test_what_cannot_be_found_out_is_asked_for():
    message = refusal(x=["7", "1,234"])
    assert message.startswith("t.csv: row 3, column 'x' holds '1,234'")
    assert "--decimal ," in message
    assert "--decimal ." in message
    assert numbers(["7", "1,234"], ",") == [7, 1.234]
    assert numbers(["7", "1,234"], ".") == [7, 1234]


def test_decimal_comma_given_turns_points_into_groups():
    assert numbers(["1.234"], ",") == [1234]


@pytest.mark.parametrize("value", ["abc", "12a", "1.2.3", "1,23,4", "0x10", "12%", "1 2", "--5", "e5", "."])
def test_text_is_named_with_row_and_column(value):
    message = refusal(a=["1", "2", "3"], x=["1.5", "2.5", value])
    assert message.startswith(f"t.csv: row 4, column 'x' holds '{value}', which is not a number")
    assert "--features" in message


def test_the_minority_mark_is_refused_with_the_option():
    message = refusal(x=["1.5", "2.5", "3,5"])
    assert message.startswith(
        "t.csv: row 4, column 'x' holds '3,5', which is not a number while the decimal mark is '.'"
    )
    assert "--decimal ," in message


@pytest.mark.parametrize("value", ["inf", "-inf", "Infinity", "1e400", "1e39"])
def test_infinities(value):
    message = refusal(x=["1", value])
    assert message.startswith(f"t.csv: row 3, column 'x' holds '{value}', which is infinite or beyond 1e18")
    assert "infinite" in refusal(x=["1,5", value])


def test_typed_columns():
    table = table_of(i=[1, None], f=[0.5, 2.0], b=[True, False], n=pa.nulls(2))
    np.testing.assert_array_equal(
        parse_numbers(table, ["i", "f", "b", "n"]), [[1, 0.5, 1, np.nan], [np.nan, 2, 0, np.nan]]
    )
    assert "row 2, column 'f' holds 'inf'" in refusal(f=[np.inf, 1.0])
    assert "column 'l' holds list<item: int64>; expected numbers" in refusal(l=[[1], [2]])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2", "oops"], True),  # A slip in a column of numbers is for parse_numbers to name.
        (["1,5", "NA", "2,5"], True),
        (["", "-", "NA"], True),
        (["rain", "sun", "3"], False),
        (["2020-01-01", "2020-01-02"], False),
        (["True", "False"], True),
        ([1.5, None], True),
        ([[1], [2]], False),
    ],
)
def test_looks_numeric(values, expected):
    assert looks_numeric(table_of(x=values), "x") is expected


def test_looks_numeric_finds_the_few_values_of_a_sparse_column():
    values = [""] * 5000
    values[4321] = "rain"
    assert not looks_numeric(table_of(x=values), "x")


@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 4)), min_size=1, max_size=8), st.booleans())
def test_what_is_written_with_groups_is_read_back(values, comma):
    written = [f"{value:,.4f}" for value in values]
    if comma:
        written = [text.translate(str.maketrans(",.", ".,")) for text in written]
    assert numbers(written) == values
