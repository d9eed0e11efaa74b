import struct

import pytest

from runnel.datasets.audio.is_cut_off import is_cut_off


def chunks(order, *parts):
    return b"".join(name + struct.pack(f"{order}I", size) + content for name, size, content in parts)


@pytest.mark.parametrize(
    ("container", "order", "name"), [(b"RIFF", "<", b"data"), (b"RIFX", ">", b"data"), (b"FORM", ">", b"SSND")]
)
def test_chunks(container, order, name):
    others = [(b"LIST", 3, b"abc\0")] * 500  # More than any log would hold; three bytes and one to be even.
    begin = container + bytes(8) + chunks(order, *others)
    assert not is_cut_off(begin + chunks(order, (name, 6, bytes(6))), "")
    assert is_cut_off(begin + chunks(order, (name, 6, bytes(5))), "")
    assert not is_cut_off(
        begin + chunks(order, (name, 6, bytes(6)), (b"LIST", 9, b"")), ""
    )  # What follows is no sample.
    assert not is_cut_off(begin + chunks(order, (name, 0xFFFFFFFF, bytes(6))), "")  # Written into a pipe.
    assert not is_cut_off(begin, "")


def page(flags, *sizes):
    return b"OggS" + bytes([0, flags]) + bytes(20) + bytes([len(sizes), *sizes]) + bytes(sum(sizes))


def test_ogg_pages():
    whole = page(2, 30) + page(0, 255, 10) + page(4, 255, 7)
    assert not is_cut_off(whole, "")
    assert all(is_cut_off(whole[:length], "") for length in range(4, len(whole)))


def test_what_the_decoder_logged():
    assert is_cut_off(b".snd", "Data Offset : 24\n  Data Size   : 32000 (should be 15988)\n")
    assert not is_cut_off(b".snd", "  Data Size   : 32000\n")
    assert not is_cut_off(b".snd", "  Data Size   : 32000 (should be 32008)\n")
    assert not is_cut_off(b"", "")
