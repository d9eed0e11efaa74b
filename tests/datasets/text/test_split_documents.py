import pytest

from runnel.datasets.text.split_documents import split_documents

SHARES = {"train": 0.9, "validation": 0.05, "test": 0.05}


def sizes(splits):
    return [sum(map(len, documents)) for documents in splits.values()]


def test_cuts_at_the_end_of_a_paragraph_near_the_place():
    paragraphs = [f"{index:03} " + "words " * 9 + "end.\n\n" for index in range(1000)]  # 64 characters each.
    splits = split_documents(["".join(paragraphs)], SHARES)
    assert splits == {
        "train": ["".join(paragraphs[:900])],
        "validation": ["".join(paragraphs[900:950])],
        "test": ["".join(paragraphs[950:])],
    }


def test_cuts_at_the_end_of_a_line_where_no_paragraph_ends():
    text = "one line\n" * 1000
    splits = split_documents([text], SHARES)
    assert sizes(splits) == [8100, 450, 450]
    assert all(documents[0].endswith("line\n") for documents in splits.values())


def test_a_far_paragraph_end_is_not_taken():
    text = "one line\n" * 500 + "\n" + "one line\n" * 500
    assert sizes(split_documents([text], SHARES))[0] == pytest.approx(8100, abs=10)


def test_cuts_between_words_or_anywhere_where_there_are_no_lines():
    splits = split_documents(["word " * 200], SHARES)
    assert sizes(splits) == [900, 50, 50]
    assert sizes(split_documents(["x" * 1000], SHARES)) == [900, 50, 50]


def test_few_files_are_cut_within():
    splits = split_documents(["a\n" * 400, "b\n" * 50, "c\n" * 50], SHARES)  # 800 + 100 + 100 characters.
    assert splits == {"train": ["a\n" * 400, "b\n" * 50], "validation": ["c\n" * 25], "test": ["c\n" * 25]}
    splits = split_documents(["a\n" * 455, "b\n" * 45], SHARES)  # The end of a file is as good as that of a paragraph.
    assert splits == {"train": ["a\n" * 455], "validation": ["b\n" * 20], "test": ["b\n" * 25]}


def test_many_files_stay_whole():
    documents = [f"{index:02}" * 50 for index in range(20)]
    splits = split_documents(documents, SHARES)
    assert splits == {"train": documents[:18], "validation": documents[18:19], "test": documents[19:]}


def test_many_files_are_cut_if_the_sizes_would_be_far_off():
    documents = ["x\n" * 5000] + ["y\n" * 5] * 30  # The first has 97 % of the characters.
    splits = split_documents(documents, SHARES)
    total = sum(map(len, documents))
    assert [size / total for size in sizes(splits)] == pytest.approx([0.9, 0.05, 0.05], abs=0.01)
    assert "".join(text for part in splits.values() for text in part) == "".join(documents)


def test_nothing_is_lost_and_blank_documents_are_dropped():
    documents = ["one " * 100, "\n\n", "two\n\n" * 30, "three " * 11]
    splits = split_documents(documents, SHARES)
    joined = "".join(text for part in splits.values() for text in part)
    assert "".join(joined.split()) == "".join("".join(documents).split())
    assert not [text for part in splits.values() for text in part if not text.strip()]


@pytest.mark.parametrize("size", range(6))
def test_hardly_any_text(size):
    splits = split_documents(["x" * size] if size else [], SHARES)
    assert sum(sizes(splits)) == size


def test_other_shares():
    assert sizes(split_documents(["line\n" * 200], {"train": 0.95, "test": 0.05})) == [950, 50]
    assert split_documents(["all of it"], {"train": 1.0}) == {"train": ["all of it"]}
