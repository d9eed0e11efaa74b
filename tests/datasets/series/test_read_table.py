import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runnel.datasets.series.read_table import read_table
from runnel.shared.errors import InputError


def refusal(path, **options):
    with pytest.raises(InputError) as caught:
        read_table(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def cells(table):
    return {name: column.to_pylist() for name, column in table.columns.items()}


def test_columns_are_text_and_rows_count_the_header(write):
    table = read_table(write("time,price\n2020-01-01,1.50\n2020-01-02,2\n"))
    assert cells(table) == {"time": ["2020-01-01", "2020-01-02"], "price": ["1.50", "2"]}
    assert table.rows.tolist() == [2, 3]
    assert table.notes == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_ends_are_found_out(write, delimiter, newline):
    rows = [["time", "a", "b"], ["2020-01-01", "1", "2"], ["2020-01-02", "3", "4"]]
    table = read_table(write(newline.join(delimiter.join(row) for row in rows)))
    assert cells(table) == {"time": ["2020-01-01", "2020-01-02"], "a": ["1", "3"], "b": ["2", "4"]}


def test_decimal_commas_do_not_pass_for_the_delimiter(write):
    table = read_table(write("time;a\n2020-01-01;1,5\n2020-01-02;2,5\n"))
    assert cells(table)["a"] == ["1,5", "2,5"]


def test_quoted_delimiters_and_line_breaks(write):
    table = read_table(write('time,"a, b",c\n2020-01-01,"1,5","x\ny"\n2020-01-02,2,"say ""z"""\n'))
    assert cells(table)["a, b"] == ["1,5", "2"]
    assert cells(table)["c"] == ["x\ny", 'say "z"']


def test_the_delimiter_may_be_named(write):
    assert list(read_table(write("time:a\n2020:1\n"), delimiter=":").columns) == ["time", "a"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_encodings(write, encoding):
    table = read_table(write("time,température\n2020-01-01,1\n".encode(encoding)))
    assert list(table.columns) == ["time", "température"]
    assert table.notes == []


def test_latin_1_is_said(write):
    table = read_table(write("time,température\n2020-01-01,1\n".encode("latin-1")))
    assert list(table.columns) == ["time", "température"]
    assert len(table.notes) == 1
    assert table.notes[0].endswith("is not UTF-8 and was read as latin-1")


def test_blank_rows_keep_the_numbers_of_the_others(write):
    table = read_table(write("time,a\n2020-01-01,1\n\n2020-01-03,3\n,\n   \n2020-01-07,7\n\n\n"))
    assert cells(table)["a"] == ["1", "3", "7"]
    assert table.rows.tolist() == [2, 4, 7]


def test_a_delimiter_at_every_end_is_no_column(write):
    assert list(read_table(write("time,a,\n2020-01-01,1,\n2020-01-02,2,\n")).columns) == ["time", "a"]


def test_an_unnamed_column_gets_a_name_to_ask_for(write):
    table = read_table(write(",a\n0,1\n1,2\n"))
    assert cells(table) == {"column 1": ["0", "1"], "a": ["1", "2"]}
    assert table.unnamed == ("column 1",)


@pytest.mark.parametrize("row", ["2020-01-02,5,9", "2020-01-02"])
def test_ragged_rows_are_named(write, row):
    message = refusal(write(f"time,a\n2020-01-01,1\n\n{row}\n2020-01-03,3\n"))
    values = f"{row.count(',') + 1} value"
    assert "row 4 has " + values in message
    assert "row 1 names 2 columns" in message


def test_a_ragged_row_far_down_has_the_right_number(write):
    lines = ["time,a"] + [f"2020-01-01,{index:030d}" for index in range(300_000)]
    lines[250_000] = "2020-01-01"  # Line 250,001 counted from one.
    assert "row 250001 has 1 value where" in refusal(write("\n".join(lines)))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ("time,a\n", "no rows of values"),
        ("time,a\n\n,\n", "no rows of values"),
        ("\ntime,a\n2020-01-01,1\n", "row 1 is blank"),
        ("a\n1\n2\n", "row 1 names one column ('a')"),
        ("time,a,b,a\n2020-01-01,1,2,3\n", "row 1 names two columns 'a' (columns 2 and 4)"),
        ("0.78,1.61,0.86\n0.79,1.62,0.87\n", "row 1 holds values ('0.78,1.61,0.86') where column names were expected"),
        ("2020-01-01,1\n2020-01-02,2\n", "row 1 holds values"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "is not text"),
        (b"PK\x03\x04rest", "save the sheet as CSV"),
        (b"\x1f\x8brest", "a gzip file; unpack it"),
        (b"PAR1 then nothing", "is not a complete Parquet file"),
        ('time,a\n2020-01-01,1\n2020-01-02,"2\n2020-01-03,3\n', "row 3 opens a quoted value that never ends"),
    ],
)
def test_unusable_files_say_what_is_wrong(write, content, expected):
    path = write(content)
    message = refusal(path)
    assert message.startswith(str(path))
    assert expected in message


def test_not_there_and_a_folder(tmp_path):
    assert "is not there" in refusal(tmp_path / "none.csv")
    assert "is a folder" in refusal(tmp_path)


def write_parquet(path, columns):
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_keeps_types(tmp_path):
    days = [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]
    words = pa.array(["x", None]).dictionary_encode()
    table = read_table(write_parquet(tmp_path / "a.parquet", {"day": days, "v": [1.5, None], "w": words}))
    assert cells(table) == {"day": days, "v": [1.5, None], "w": ["x", ""]}
    assert table.rows.tolist() == [1, 2]


def test_parquet_is_known_by_its_content(tmp_path):
    assert list(read_table(write_parquet(tmp_path / "a.csv", {"v": [1.5]})).columns) == ["v"]


def test_pandas_index_without_a_name_counts_as_unnamed(tmp_path):
    frame = pd.DataFrame({"v": np.arange(3.0)}, index=pd.date_range("2020-01-01", periods=3))
    frame.to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").unnamed == ("__index_level_0__",)


def test_damaged_parquet(tmp_path, write):
    whole = write_parquet(tmp_path / "a.parquet", {"v": np.arange(1000.0)}).read_bytes()
    assert "is not a complete Parquet file" in refusal(write(whole[:-40], "b.parquet"))
    assert "is not a complete Parquet file" in refusal(write("time,a\n1,2\n", "c.parquet"))
    assert "is empty" in refusal(write(b"", "d.parquet"))
    assert "no rows" in refusal(write_parquet(tmp_path / "e.parquet", {"v": pa.array([], pa.float64())}))
