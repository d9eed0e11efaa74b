import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from runnel.apps.translation.config import Config
from runnel.apps.translation.data import TranslationData, prepare, training_batches, validation_batches
from runnel.apps.translation.wait_k import draw_wait
from runnel.datasets.pairs.pair_corpus import PairCorpus, Pairs
from runnel.shared.errors import InputError
from runnel.shared.preprocessing.subword_vocabulary import RESERVED_TOKENS

LETTERS = (*RESERVED_TOKENS, "▁", *"abcde", "▁a", "▁b", "▁ab")  # one token a letter, but for the first of a word


def corpus(
    train: Sequence[tuple[str, str]],
    validation: Sequence[tuple[str, str]] = (("a b", "b"),),
    test: Sequence[tuple[str, str]] = (("b", "a"),),
) -> PairCorpus:
    splits = {"train": Pairs.of(train), "validation": Pairs.of(validation), "test": Pairs.of(test)}
    return PairCorpus("toy", splits, "print")


def options(**advanced: Any) -> Config:
    config = Config(data="toy")
    advanced = {"batch_tokens": 60, "steps_per_epoch": 0, "copied_share": 0.0} | advanced
    return dataclasses.replace(config, advanced=dataclasses.replace(config.advanced, **advanced))


def many(count: int = 120) -> list[tuple[str, str]]:
    """Different sources of 1 to 9 words, whose targets are of like length."""
    random = np.random.default_rng(0)
    pairs: dict[str, str] = {}
    while len(pairs) < count:
        words = ["".join(random.choice([*"abcde"], 3)) for _ in range(random.integers(1, 10))]
        pairs[" ".join(words)] = " ".join(words[: max(1, len(words) - int(random.integers(2)))])
    return list(pairs.items())


def arrays(batches: Any) -> list[dict[str, np.ndarray]]:
    return [{name: value.numpy() for name, value in batch.items()} for batch in batches]


def epoch(data: TranslationData, config: Config, number: int = 0) -> list[dict[str, np.ndarray]]:
    return arrays(training_batches(data, config)[0](number))


def pairs_of(data: TranslationData, batch: dict[str, np.ndarray]) -> list[tuple[str, str]]:
    """The texts of a batch, back from its tokens."""
    texts = data.tokenizer.vocabulary
    sides = []
    for ids, mask in (("source_ids", "source_mask"), ("targets", "target_mask")):
        rows = zip(batch[ids], batch[mask], strict=True)
        joined = ("".join(texts[token] for token in row[valid]) for row, valid in rows)
        sides.append([text.removesuffix("<end>").replace("▁", " ").strip() for text in joined])
    return list(zip(*sides, strict=True))


# === Tokens ===


def test_the_vocabulary_is_fitted_to_the_training_split_alone() -> None:
    data = prepare(corpus([("ab ab", "ba ba"), ("ba", "ab")], [("zz zz", "zz zz")], [("yy yy", "yy")]), options())
    pieces = "".join(data.tokenizer.vocabulary[len(RESERVED_TOKENS) :])
    assert {*pieces} == {*"ab▁"}
    mark, byte = data.tokenizer.vocabulary.index("▁"), 3 + ord("z")
    unknown = [mark, byte, byte]
    assert data.pairs["validation"].source_ids.numpy().tolist() == [[*unknown, *unknown]]
    assert data.left_out == 0


def test_sources_are_read_word_by_word_as_the_stream_reads_them() -> None:
    """Any whitespace separates words, and a word of more than 30 characters is several."""
    texts = data_of([("ab\tb  \n a", "b")]).pairs["train"]
    assert spelt(texts.source_ids) == [["▁ab", "▁b", "▁a"]]
    assert texts.source_words.to_list() == [[1, 2, 3]]
    long = data_of([("b" * 33 + " a", "b")]).pairs["train"]
    assert spelt(long.source_ids) == [["▁b", *"b" * 29, "▁b", *"bb", "▁a"]]
    assert long.source_words.to_list() == [[1] * 30 + [2] * 3 + [3]]


def test_targets_keep_their_spaces_and_end_with_an_end_mark() -> None:
    texts = data_of([("a", "ab  b")]).pairs["train"]
    assert spelt(texts.target_ids) == [["▁ab", "▁", "▁b", "<end>"]]


def data_of(train: Sequence[tuple[str, str]], **advanced: Any) -> TranslationData:
    return prepare(corpus(train), options(**advanced), LETTERS)


def spelt(token_ids: Any) -> list[list[str]]:
    return [[LETTERS[token] for token in row] for row in token_ids.to_list()]


# === What cannot be trained on ===


def test_pairs_that_are_too_long_or_have_no_word_are_left_out() -> None:
    train = [("a a a", "a"), ("a a a a", "a"), ("a", "a b"), ("a", "a b a"), ("\t", "a"), ("b", "b")]
    data = data_of(train, longest_sentence=3)  # of a target the end mark counts
    kept = [("a a a", "a"), ("a", "a b"), ("b", "b")]
    assert data.left_out == 3
    (batch,) = epoch(data, options(batch_tokens=60))
    assert sorted(pairs_of(data, batch)) == sorted(kept)


def test_no_pair_has_more_tokens_than_a_batch() -> None:
    data = data_of([("a a a a", "a"), ("b", "b")], batch_tokens=3, longest_sentence=100)
    assert data.left_out == 1


@pytest.mark.parametrize(
    ("splits", "part"),
    [
        (([("a a a a", "a")],), "the train split of toy has no pair .* 3 subwords at most on each, out of 1;"),
        (([("a", "a")], [("b b b b", "b")]), "the validation split of toy has no pair"),
    ],
)
def test_without_a_usable_pair_there_is_nothing_to_learn(splits: tuple, part: str) -> None:
    with pytest.raises(InputError, match=f"{part}.*larger --longest-sentence"):
        prepare(corpus(*splits), options(longest_sentence=3), LETTERS)


def test_what_is_made_up_does_not_hide_that_nothing_can_be_learned() -> None:
    with pytest.raises(InputError, match=r"the train split of toy has no pair .* out of 99;"):
        prepare(
            corpus([("a " * number, "a") for number in range(50, 149)]),
            options(longest_sentence=9, copied_share=0.5),
            LETTERS,
        )


def test_some_texts_are_made_up_to_be_copied() -> None:
    train = many()
    data = prepare(corpus(train), options(copied_share=0.1), LETTERS)
    sources, targets = (tokens.to_list() for tokens in (data.pairs["train"].source_ids, data.pairs["train"].target_ids))
    assert len(sources) == 132
    assert data.left_out == 0
    assert all([*source, 2] == target for source, target in zip(sources[120:], targets[120:], strict=True))
    assert len(data.pairs["validation"]) == 1
    assert data.corpus.splits["train"].sources == tuple(source for source, _ in train)


# === Batches ===


def test_every_pair_comes_once_a_pass() -> None:
    config, train = options(), many()
    data = prepare(corpus(train), config)
    for number in (0, 1):
        batches = epoch(data, config, number)
        assert len(batches) == training_batches(data, config)[1]
        assert sorted(pair for batch in batches for pair in pairs_of(data, batch)) == sorted(train)


def test_parts_of_a_pass_follow_each_other() -> None:
    """An epoch may be less than a pass, or more than one."""
    data = prepare(corpus(many()), options())
    passes = training_batches(data, options())[1]
    whole = [pairs_of(data, batch) for number in (0, 1) for batch in epoch(data, options(), number)]
    short = options(steps_per_epoch=passes // 2 + 1)
    parts = [pairs_of(data, batch) for number in range(3) for batch in epoch(data, short, number)]
    assert parts[: 2 * passes] == whole[: len(parts)]
    long = options(steps_per_epoch=passes + 3)
    assert [pairs_of(data, batch) for batch in epoch(data, long)] == whole[: passes + 3]


def test_a_batch_has_no_more_tokens_than_it_may() -> None:
    data = prepare(corpus(many()), options())
    for batch in epoch(data, options()):
        assert max(batch["source_ids"].size, batch["targets"].size) <= 60
        assert batch["source_mask"].any(axis=0).all()  # and none for nothing
        assert batch["target_mask"].any(axis=0).all()


def test_pairs_of_a_batch_are_alike_in_length() -> None:
    data = prepare(corpus(many(400)), options(batch_tokens=400))
    batches = epoch(data, options(batch_tokens=400))
    masks = [batch[f"{side}_mask"] for side in ("source", "target") for batch in batches]
    padding = 1 - sum(mask.sum() for mask in masks) / sum(mask.size for mask in masks)
    at_random = 1 - data.pairs["train"].lengths.mean() / data.pairs["train"].lengths.max()
    assert padding < 0.15 < 0.35 < at_random


def test_batches_are_a_function_of_seed_and_epoch() -> None:
    data = prepare(corpus(many()), options())

    def order(config: Config, number: int) -> list[list[tuple[str, str]]]:
        return [pairs_of(data, batch) for batch in epoch(data, config, number)]

    first = order(options(), 1)
    assert order(options(), 1) == first
    assert order(options(), 2) != first
    assert order(options(seed=1), 1) != first
    lengths = [max(len(source) for source, _ in batch) for batch in first]
    assert lengths != sorted(lengths)


def test_what_is_written_is_told_one_token_later() -> None:
    data = prepare(corpus(many()), options())
    for batch in epoch(data, options()):
        assert (batch["target_ids"][:, 0] == data.tokenizer.start_id).all()
        np.testing.assert_array_equal(batch["target_ids"][:, 1:], batch["targets"][:, :-1])
        ends = (batch["targets"] == data.tokenizer.end_id).sum(axis=1)
        assert (ends == 1).all()
        assert (batch["targets"][~batch["target_mask"]] == data.tokenizer.pad_id).all()


# === What of the source is seen ===


def visible(train: Sequence[tuple[str, str]], wait: int) -> dict[str, np.ndarray]:
    """The batch of all pairs for a wait, as an epoch draws it that happens to have it."""
    config = options(batch_tokens=600, longest_wait=max(wait, 1), whole_share=1.0 if wait == 0 else 1e-9)
    data = prepare(corpus(train), config, LETTERS)
    batches, _ = training_batches(data, config)
    number = next(number for number in range(99) if int(draw_wait(number, np.int32(0), config)) == wait)
    (batch,) = arrays(batches(number))
    return batch


def test_a_wait_of_two_by_hand() -> None:
    """Words of the source: ab|c d e|a b c; of the target: bd|a e|c|b."""
    batch = visible([("abc dea bc", "bd aec b")], 2)
    letters = [[LETTERS[token] for token in row] for row in (batch["source_ids"][0], batch["targets"][0])]
    assert letters == [["▁ab", "c", "▁", "d", "e", "a", "▁b", "c"], ["▁b", "d", "▁a", "e", "c", "▁b", "<end>"]]
    two, three = [1] * 6 + [0] * 2, [1] * 8
    expected = [two, two, three, three, three, three, three]
    assert batch["visible"][0].astype(int).tolist() == expected


def test_a_wait_of_one_by_hand() -> None:
    """The end mark sees all, however early it comes; what is behind the end sees nothing that is padding."""
    batch = visible([("a b c", "b a"), ("a b c d", "b"), ("b", "a b a")], 1)
    row = {pair: place for place, pair in enumerate(map(tuple, batch["targets"].tolist()))}
    spelt_out = {tuple(LETTERS[token] for token in pair if token): place for pair, place in row.items()}
    seen = {target: batch["visible"][place].astype(int).tolist() for target, place in spelt_out.items()}
    # ▁a ▁b ▁ c: the third word has two subwords.
    assert seen["▁b", "▁a", "<end>"][:3] == [[1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0]]
    assert seen["▁b", "<end>"][:2] == [[1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]]
    assert seen["▁a", "▁b", "▁a", "<end>"] == [[1, 0, 0, 0, 0, 0]] * 4


def test_the_whole_sentence_is_seen_without_a_wait() -> None:
    for batch in (visible(many(9), 0), *arrays(validation_batches(prepare(corpus(many(9)), options()), options()))):
        np.testing.assert_array_equal(
            batch["visible"], np.broadcast_to(batch["source_mask"][:, None], batch["visible"].shape)
        )


# === Validation ===


def test_validation_holds_every_pair_once() -> None:
    held_out = many(70)
    data = prepare(corpus([("a", "a")], held_out), options(), LETTERS)
    assert not validation_batches(data, options()).options().autotune.enabled
    batches = arrays(validation_batches(data, options()))
    assert sorted(pair for batch in batches for pair in pairs_of(data, batch)) == sorted(held_out)
    assert all(max(batch["source_ids"].size, batch["targets"].size) <= 60 for batch in batches)
    assert [pairs_of(data, batch) for batch in arrays(validation_batches(data, options()))] == [
        pairs_of(data, batch) for batch in batches
    ]
