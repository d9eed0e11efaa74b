import pytest

from runnel.datasets.text.decode_text import decode_text
from runnel.shared.errors import InputError


def decoded(data):
    notes = []
    return decode_text(data, "a.txt", notes), notes


def refusal(data):
    with pytest.raises(InputError) as caught:
        decode_text(data, "a.txt", [])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_utf8_with_and_without_a_mark():
    assert decoded("naïve 🦊 ἀγάπη".encode()) == ("naïve 🦊 ἀγάπη", [])
    assert decoded(b"\xef\xbb\xbfone") == ("one", [])
    assert decoded(b"") == ("", [])


@pytest.mark.parametrize(("mark", "codec"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_utf16(mark, codec):
    assert decoded(mark + "naïve 🦊\r\n".encode(codec)) == ("naïve 🦊\n", [])


def test_windows_1252():
    assert decoded(b"\x93na\xefve\x94 costs 5 \x80") == (
        "“naïve” costs 5 €",
        ["a.txt is not UTF-8 and was read as Windows-1252"],
    )
    assert decoded(b"caf\xe9 \x81")[0] == "café \ufffd"  # 0x81 is no character of Windows-1252.


def test_a_few_broken_bytes_do_not_spoil_utf8():
    data = "Größe, Maß, Füße".encode()
    assert decoded(data[:-2] + b"\xff") == (
        "Größe, Maß, Fü\ufffd\ufffd",
        ["a.txt holds 2 pieces that are no UTF-8, read as U+FFFD"],
    )


def test_line_ends():
    assert decoded(b"one\r\ntwo\rthree\n\r\n")[0] == "one\ntwo\nthree\n\n"


def test_what_is_no_text():
    png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00"
    assert refusal(png) == "a.txt is not text (it holds zero bytes); expected a text file; save its text as UTF-8"
    assert "zero bytes" in refusal("text".encode("utf-16-le"))  # Without a mark.
    assert "zero bytes" in refusal("text".encode("utf-32"))
    assert "zero bytes" in refusal(b"\xff\xfe\x00\x00")
    assert "control characters" in refusal(b"\x1f\x8b\x08\x08\xa3\x01\xf2\x05")
    assert "begins like UTF-16" in refusal(b"\xff\xfea")
