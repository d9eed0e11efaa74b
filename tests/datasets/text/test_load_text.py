import re

import pytest

from runnel.datasets.text.load_text import load_text
from runnel.shared.errors import InputError


def paragraph(index):
    return f"Paragraph {index} of this text says a thing that no other one says, in some forty characters.\n\n"


def refusal(source):
    with pytest.raises(InputError) as caught:
        load_text(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_text_file(write):
    text = "".join(map(paragraph, range(100, 300)))
    corpus = load_text(write(text, "novel.txt"))
    assert corpus.name == "novel.txt"
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert "".join(document for documents in corpus.splits.values() for document in documents) == text
    assert [len(re.findall("Paragraph", "".join(part))) for part in corpus.splits.values()] == [180, 10, 10]
    assert corpus.notes == ()


def test_the_same_content_has_the_same_fingerprint(write):
    text = "".join(map(paragraph, range(100, 300)))
    one = load_text(write(text, "one.txt"))
    assert load_text(write(text.replace("\n", "\r\n").encode("utf-16"), "two.txt")).fingerprint == one.fingerprint
    assert load_text(write(text + "More.", "three.txt")).fingerprint != one.fingerprint


def test_no_paragraph_is_in_two_splits(write):
    repeated = paragraph(7)
    text = "".join(paragraph(index) + repeated * (index % 20 == 0) for index in range(100, 300))
    corpus = load_text(write(text, "novel.txt"))
    parts = [{piece for piece in "".join(part).split("\n\n") if len(piece) > 40} for part in corpus.splits.values()]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    assert repeated.strip() in parts[0]
    assert corpus.notes == ("left out of validation and test, for an earlier split holds the same: 1 paragraph",)


def test_a_folder_of_many_files(tmp_path):
    for index in range(40):
        (tmp_path / f"letter {index:02}.txt").write_bytes(
            f"Letter {index}: caf\xe9. {paragraph(index)}".encode("cp1252")
        )
    corpus = load_text(tmp_path)
    assert [len(part) for part in corpus.splits.values()] == [36, 2, 2]
    assert corpus.splits["test"][-1] == f"Letter 39: café. {paragraph(39)}"
    assert corpus.name == tmp_path.name
    assert corpus.notes[0].endswith("letter 00.txt is not UTF-8 and was read as Windows-1252")
    assert corpus.notes[5:] == (f"35 more files in {tmp_path} likewise",)


def test_too_little_text(write):
    message = refusal(write("Hello, world!", "short.txt"))
    assert "too little text" in message
    assert "13 characters" in message
    assert "2,000 characters or more" in message
    assert "too little text" in refusal(write("x", "x.txt"))
    assert "too little text" in refusal(write("...\n" * 100, "dots.txt"))


def test_what_is_said_to_be_enough_is(write):
    enough = "".join(map(paragraph, range(30)))[:2000]
    assert all(any(part) for part in load_text(write(enough, "enough.txt")).splits.values())


def test_text_that_repeats_itself(write):
    assert "repeat itself" in refusal(write(paragraph(1) * 100, "same.txt"))


def test_sources_that_are_not_there(tmp_path):
    message = refusal("pyton_reference")
    assert "neither a file or folder here nor a dataset of text" in message
    assert "python_reference, tiny_shakespeare_plays" in message
    assert "neither a file" in refusal(tmp_path / "missing.txt")
    assert "''" in refusal("")
    assert refusal("The text itself,\nnot its path. " * 30).startswith("'The text itself, not its path. The")
    assert "neither a file" in refusal("sp500_daily")  # A dataset, but not of text.
