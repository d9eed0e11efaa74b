from unittest import mock

import pytest

from runnel.datasets.pairs.read_lines import read_lines
from runnel.shared.errors import InputError


def refusal(path):
    with pytest.raises(InputError) as caught:
        read_lines(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\xef\xbb\xbf", []),
        (b"\xff\xfe", []),
        (b"one", ["one"]),
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\n\n", ["one", ""]),
        (b"\n", [""]),
        (b"\xef\xbb\xbfone\r\ntwo\r\n", ["one\r", "two\r"]),
        ("one\r\nétwo\r\n".encode("utf-16"), ["one", "étwo"]),
        ("one\x0b\x1c\x85\u2028\rone".encode(), ["one\x0b\x1c\x85\u2028\rone"]),  # Not the end of a line.
        (b"one\ncaf\xe9\n\xc3\xa9\n", ["one", None, "é"]),
    ],
)
def test_lines(write, content, lines):
    assert read_lines(write(content)) == lines


def test_a_file_that_cannot_be_read(tmp_path, write):
    assert "cannot be read (No such file or directory)" in refusal(tmp_path / "missing.tsv")
    with mock.patch("pathlib.Path.read_bytes", side_effect=PermissionError(13, "Permission denied")):
        assert "secret.tsv cannot be read (Permission denied)" in refusal(write("a\tb", "secret.tsv"))
    assert "begins like UTF-16 text but is not" in refusal(write(b"\xff\xfea", "cut.tsv"))


def test_packed_files(write):
    assert "fra-eng.zip is packed" in refusal(write(b"PK\x03\x04\x14\x00", "fra-eng.zip"))
    assert "unpack it" in refusal(write(b"\x1f\x8b\x08\x08", "train.en.gz"))
