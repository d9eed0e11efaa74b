from runnel.datasets.python_reference.split_topics import own_paragraphs, split_topics

SHARED = "A paragraph that two topics have."


def test_a_paragraph_belongs_to_the_first_topic_that_has_it():
    topics = {
        "b": f"Second\n\n{SHARED}\n\nOf b alone.\n\nOf b alone.",
        "a": f"First\n\nHere it is indented:\n\n   {SHARED}",
        "c": f"{SHARED}\n\nSecond",
    }
    assert own_paragraphs(topics) == {
        "a": f"First\n\nHere it is indented:\n\n{SHARED}",
        "b": "Second\n\nOf b alone.\n\nOf b alone.",  # A topic may repeat itself.
    }  # Nothing is left of c.


def test_shares_of_the_splits():
    topics = {f"topic {index}": f"{index} " * (50 + 7 * index % 31) for index in range(200)}
    splits = split_topics(topics)
    assert list(splits) == ["train", "validation", "test"]
    sizes = {split: sum(map(len, documents.values())) for split, documents in splits.items()}
    total = sum(sizes.values())
    for split in ("validation", "test"):
        assert 0.045 * total < sizes[split] <= 0.05 * total
    names = [name for documents in splits.values() for name in documents]
    assert sorted(names) == sorted(topics)  # Each in exactly one.
    assert splits == split_topics(dict(reversed(topics.items())))  # Whatever the order of the source.


def test_a_topic_that_is_too_large_is_trained_on():
    topics = {"large": "x" * 1000} | {f"small {index}": f"y{index}" for index in range(10)}
    assert "large" in split_topics(topics)["train"]
