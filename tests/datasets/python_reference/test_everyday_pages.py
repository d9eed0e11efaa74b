from itertools import pairwise

from runnel.datasets.python_reference.everyday_pages import REPETITIONS, everyday_pages, read_sentences


def test_the_sentences():
    sentences = read_sentences()
    assert len(sentences) == len(set(sentences)) == 156
    for sentence in sentences:
        assert sentence.isascii()
        assert sentence == " ".join(sentence.split())
        assert sentence[0].isupper()
        assert sentence[-1] in ".?!"
        assert 2 <= len(sentence.split()) <= 12
    assert {
        "The quick brown fox jumps over the lazy dog.",
        "The cat sat on the mat.",
        "The cat sits on the mat.",
        "I grew up in France, so I speak fluent French.",
        "The clouds are in the sky.",
        "Dog bites man.",
        "Man bites dog.",
        "It is hard to recognize speech.",
        "It is easy to wreck a nice beach.",
    } <= set(sentences)


def test_each_page_holds_each_sentence_once_in_another_order():
    sentences = read_sentences()
    pages = everyday_pages(sentences)
    assert len(pages) == REPETITIONS == 12
    assert len(set(pages)) == 12
    for page in pages:
        assert sorted(page.split("\n\n")) == sorted(sentences)
    assert pages == everyday_pages(sentences[::-1])  # Whatever the order of the file.


def test_hardly_any_sentence_follows_the_same_one_twice():
    pages = [page.split("\n\n") for page in everyday_pages(read_sentences())]
    pairs = [pair for page in pages for pair in pairwise(page)]
    assert len(set(pairs)) > 0.95 * len(pairs)
