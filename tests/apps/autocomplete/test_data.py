import dataclasses
from typing import Any

import numpy as np
import pytest

from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import prepare, side_by_side, training_batches, validation_batches
from runnel.datasets.text.text_corpus import TextCorpus
from runnel.shared.errors import InputError


def corpus(train: str, validation: str = "b a c b.", test: str = "a a b.") -> TextCorpus:
    splits = {"train": (train,), "validation": (validation,), "test": (test,)}
    return TextCorpus("toy", splits, "print")


def options(level: Any = "word", **advanced: Any) -> Config:
    config = Config(data="toy", level=level)
    advanced = {"batch_size": 4, "window": 5, "steps_per_epoch": 0, "minimum_count": 1} | advanced
    return dataclasses.replace(config, advanced=dataclasses.replace(config.advanced, **advanced))


NUMBERS = " ".join(map(str, range(100, 163)))  # 63 words that occur once, and the end mark


# === Tokens ===


@pytest.mark.parametrize(("level", "planted"), [("word", "zebra"), ("char", "z")])
def test_the_vocabulary_is_fitted_to_the_training_split_alone(level: str, planted: str) -> None:
    data = prepare(corpus("a b c. a b c. " * 9, f"a {planted} {planted} b.", "a b."), options(level))
    assert not any(planted in token for token in data.tokenizer.vocabulary)
    unknown = (data.token_ids["validation"] == data.tokenizer.unknown_id).sum()
    assert unknown == 2
    assert (data.token_ids["train"] != data.tokenizer.unknown_id).all()


def test_rare_words_are_unknown() -> None:
    data = prepare(corpus("often often often rare. " + "often. " * 9), options(minimum_count=2))
    assert data.tokenizer.vocabulary == ("<unk>", "</p>", "▁often", ".")
    assert (data.token_ids["train"] == 0).sum() == 1


def test_each_document_ends_with_an_end_mark() -> None:
    text = TextCorpus("toy", {"train": ("a b", "b a"), "validation": ("a",), "test": ("b\n\n",)}, "print")
    data = prepare(text, options(batch_size=1))
    words = [[data.tokenizer.vocabulary[token] for token in ids] for ids in data.token_ids.values()]
    assert words == [["▁a", "▁b", "</p>", "▁b", "▁a", "</p>"], ["▁a", "</p>"], ["▁b", "</p>"]]
    assert {ids.dtype for ids in data.token_ids.values()} == {np.dtype(np.int32)}


def test_a_given_vocabulary_is_kept() -> None:
    data = prepare(corpus("new words here " * 9), options(), ("<unk>", "</p>", "▁here"))
    assert data.tokenizer.size == 3
    assert set(data.token_ids["train"].tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("level", "train", "part"),
    [
        ("word", "a b c", "the train split of toy has 4 words and marks; expected at least 5; give more text"),
        ("char", "a", "the train split of toy has 3 characters; expected at least 5"),
    ],
)
def test_too_little_text_is_refused(level: str, train: str, part: str) -> None:
    with pytest.raises(InputError, match=part):
        prepare(corpus(train), options(level))


def test_just_enough_text_makes_one_batch() -> None:
    data = prepare(corpus("a b c d"), options())
    (batch,) = training_batches(data, options())(0)
    assert batch["token_ids"].shape == (4, 1)


# === Windows for training ===


def windows(config: Config, epoch: int = 0) -> list[dict[str, np.ndarray]]:
    data = prepare(corpus(NUMBERS), config)
    return [{name: value.numpy() for name, value in batch.items()} for batch in training_batches(data, config)(epoch)]


def ring() -> list[int]:
    return prepare(corpus(NUMBERS), options()).token_ids["train"].tolist()


def test_rows_go_on_where_they_ended() -> None:
    batches = windows(options(steps_per_epoch=7))
    assert len(batches) == 7
    assert all(value.shape == (4, 5) and value.dtype == np.int32 for batch in batches for value in batch.values())
    rows = np.concatenate([batch["token_ids"] for batch in batches], axis=1)  # [B, 35]
    targets = np.concatenate([batch["targets"] for batch in batches], axis=1)
    np.testing.assert_array_equal(targets[:, :-1], rows[:, 1:])
    text = ring()
    doubled = text + text
    for row, after in zip(rows.tolist(), targets[:, -1].tolist(), strict=True):
        begin = text.index(row[0])
        assert [*row, after] == doubled[begin : begin + 36]


def test_rows_begin_at_equal_distances() -> None:
    first = windows(options())[0]["token_ids"][:, 0]
    places = [ring().index(token) for token in first.tolist()]
    assert [(place - places[0]) % 64 for place in places] == [0, 16, 32, 48]


def test_an_epoch_is_one_pass_over_the_text() -> None:
    batches = windows(options(window=4))
    seen = np.concatenate([batch["token_ids"].ravel() for batch in batches])
    assert sorted(seen.tolist()) == sorted(ring())


def test_the_place_depends_on_seed_and_epoch_alone() -> None:
    def first(seed: int, epoch: int) -> list[int]:
        return windows(options(seed=seed), epoch)[0]["token_ids"].ravel().tolist()

    assert first(0, 3) == first(0, 3)
    begins = {first(seed, epoch)[0] for seed in range(3) for epoch in range(3)}
    assert len(begins) >= 6


def test_a_window_longer_than_a_stretch_is_cut() -> None:
    batches = windows(options(window=1000))
    assert [batch["token_ids"].shape for batch in batches] == [(4, 16)]


# === Validation ===


@pytest.mark.parametrize(("count", "stretches"), [(2, 16), (10, 3), (301, 3), (302, 3), (400, 3), (5000, 16)])
def test_side_by_side_holds_every_target_once_in_its_order(count: int, stretches: int) -> None:
    token_ids, targets, mask = side_by_side(np.arange(count, dtype=np.int32), stretches)
    assert token_ids.shape == targets.shape == mask.shape
    assert len(mask) == max(1, min(stretches, count // 100))
    assert targets[mask].tolist() == list(range(1, count))
    assert token_ids[mask].tolist() == list(range(count - 1))


def test_validation_reads_the_whole_split_in_windows() -> None:
    data = prepare(corpus(NUMBERS, " ".join(["100 101 102 103 104"] * 130)), options())
    assert not validation_batches(data).options().autotune.enabled
    batches = [{name: value.numpy() for name, value in batch.items()} for batch in validation_batches(data)]
    joined = {name: np.concatenate([batch[name] for batch in batches], axis=1) for name in batches[0]}
    assert joined["mask"].shape == (6, 256)
    ids = data.token_ids["validation"]
    assert len(ids) == 651
    np.testing.assert_array_equal(joined["targets"][joined["mask"]], ids[1:])
    np.testing.assert_array_equal(joined["token_ids"][joined["mask"]], ids[:-1])
