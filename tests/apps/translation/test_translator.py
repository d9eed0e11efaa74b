"""With networks that always want the same, whatever they read, so that what is written can be worked out by hand."""

import functools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.translation.config import Advanced, Config
from runnel.apps.translation.model import build_model
from runnel.apps.translation.translator import Limits, Translator
from runnel.shared.preprocessing.subword_tokenizer import SubwordTokenizer
from runnel.shared.preprocessing.subword_vocabulary import RESERVED_TOKENS
from runnel.shared.streaming.decode_strategies import Beam, Greedy

TOKENIZER = SubwordTokenizer((*RESERVED_TOKENS, "▁", *"abcd", "▁a", "▁b", "▁c"))
WINDOW = 7

State = dict[str, tf.Tensor]


def token(text: str) -> int:
    return TOKENIZER.vocabulary.index(text)


@functools.cache
def network(**options: Any) -> keras.Model:
    keras.utils.set_random_seed(0)
    advanced = Advanced(units=4, embedding=3, depth=1)
    return build_model(Config(**options, advanced=advanced), TOKENIZER.size, use_cudnn=False)


def wishing(longest_ratio: float = 2.0, repeated_ngram: int = 0, **wishes: float) -> Translator:
    """Wants tokens the more, the larger their number; "_" in a name stands for "▁", and all else is hardly wanted."""
    model = network()
    model.set_weights([np.zeros(weight.shape) for weight in model.get_weights()])
    bias = np.full(TOKENIZER.size, -9.0)
    for name, wish in wishes.items():
        bias[TOKENIZER.end_id if name == "end" else token(name.replace("_", "▁"))] = wish
    model.get_layer("embedding").bias.assign(bias)
    return Translator(model, TOKENIZER, Limits(WINDOW, longest_ratio, repeated_ngram))


def read(translator: Translator, state: State, *words: str) -> State:
    """One more word in each row, "" for none."""
    pieces = TOKENIZER.encode_words(tf.constant(words))
    counts = tf.where(tf.constant(words) == "", 0, tf.cast(pieces.row_lengths(), tf.int32))
    return translator.read(pieces.to_tensor(), counts, state)


def heard(translator: Translator, *words: str) -> State:
    return read(translator, translator.initial_state(len(words)), *words)


def spelt(token_ids: tf.Tensor, length: tf.Tensor) -> list[str]:
    rows = zip(token_ids.numpy().tolist(), length.numpy().tolist(), strict=True)
    return [" ".join(TOKENIZER.vocabulary[one] for one in row[:count]) for row, count in rows]


def write_word(translator: Translator, state: State, *rows: bool) -> tuple[list[str], State]:
    token_ids, length, state = translator.write_word(tf.constant(rows), state)
    return spelt(token_ids, length), state


def finish(translator: Translator, state: State, *rows: bool, strategy: Any = None) -> tuple[list[str], np.ndarray]:
    token_ids, length, score = translator.finish(tf.constant(rows), strategy or Greedy(), state)
    return spelt(token_ids, length), score.numpy()


# === Words of the translation ===


def test_a_word_is_what_comes_before_the_next_one() -> None:
    translator = wishing(_a=3, b=2)
    given, state = write_word(translator, heard(translator, "ab"), True)
    assert given == ["▁a"]
    assert state["written"].numpy()[0, -2:].tolist() == [-1, token("▁a")]
    given, state = write_word(translator, state, True)
    assert given == ["▁a"]
    assert state["written_length"].numpy().tolist() == [2]


def test_nothing_is_written_where_all_seems_said() -> None:
    """And if it is so at the end, nothing more comes."""
    translator = wishing(end=5, _a=1)
    state = heard(translator, "ab")
    given, after = write_word(translator, state, True)
    assert given == [""]
    for name, value in state.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)
    given, score = finish(translator, state, True)
    assert given == [""]
    assert score[0] == pytest.approx(5 - np.log(np.exp(5) + np.exp(1) + (TOKENIZER.size - 2) * np.exp(-9)), abs=1e-5)


def test_a_word_that_does_not_end_is_cut_and_goes_on() -> None:
    translator = wishing(b=3, longest_ratio=10)
    state = heard(translator, "abcd")  # four subwords, for 48
    lengths = []
    for _ in range(3):
        given, state = write_word(translator, state, True)
        assert set(given[0].split()) <= {"b"}
        lengths.append(len(given[0].split()))
    assert lengths == [32, 16, 0]


def test_rows_that_are_not_asked_keep_their_state() -> None:
    translator = wishing(_a=3, b=2)
    before = heard(translator, "ab", "c", "")
    given, after = write_word(translator, before, True, False, False)
    assert given == ["▁a", "", ""]
    for name, value in before.items():
        np.testing.assert_array_equal(after[name][1:], value[1:], err_msg=name)


# === Limits ===


@pytest.mark.parametrize(
    ("ratio", "words", "most"), [(1.0, "abcd", 12), (2.0, "abcd", 16), (1.5, "abc", 12), (2.9, "ab", 13)]
)
def test_a_translation_is_as_long_as_its_source_lets_it(ratio: float, words: str, most: int) -> None:
    translator = wishing(_a=3, longest_ratio=ratio)
    state = heard(translator, words)
    (given,), score = finish(translator, state, True)
    assert given.split() == ["▁a"] * most
    each = 3 - np.log(np.exp(3) + (TOKENIZER.size - 1) * np.exp(-9))
    assert score[0] == pytest.approx(most * each, abs=1e-4)  # the end mark, which is forced, costs nothing


def test_what_is_written_early_counts() -> None:
    translator = wishing(_a=3, longest_ratio=1.0)
    state = heard(translator, "abcd")
    for _ in range(5):
        _, state = write_word(translator, state, True)
    assert finish(translator, state, True)[0] == [" ".join(["▁a"] * 7)]
    for _ in range(9):
        given, state = write_word(translator, state, True)
    assert given == [""]
    assert state["written_length"].numpy().tolist() == [12]
    given, score = finish(translator, state, True)
    assert (given, score.tolist()) == ([""], [0.0])


def test_rows_have_limits_of_their_own() -> None:
    translator = wishing(_a=3)
    state = heard(translator, "abcd", "", "b")
    given, score = finish(translator, state, True, True, True)
    assert [len(one.split()) for one in given] == [16, 0, 10]
    assert score[1] == 0
    assert [len(one.split()) for one in finish(translator, state, False, True, True)[0]] == [0, 0, 10]


def test_no_pair_of_subwords_comes_twice_by_hand() -> None:
    translator = wishing(_a=3, _b=2, _c=1, repeated_ngram=2)
    assert finish(translator, heard(translator, "abcd"), True)[0] == ["▁a ▁a ▁b ▁a ▁c ▁a"]
    translator = wishing(_a=3, _b=2, _c=1, repeated_ngram=3)
    assert finish(translator, heard(translator, "abcd"), True)[0] == [
        "▁a ▁a ▁a ▁b ▁a ▁a ▁c ▁a ▁a"  # of three there are more, behind what is wished as little as the end
    ]


def test_the_guard_remembers_what_was_written_early() -> None:
    translator = wishing(_a=3, _b=2, _c=1, repeated_ngram=2)
    state, written = heard(translator, "abcd"), []
    for _ in range(4):
        (given,), state = write_word(translator, state, True)
        written.append(given)
    assert written == ["▁a", "▁a", "▁b", "▁a"]
    assert finish(translator, state, True)[0][0].startswith("▁c ▁a")


def test_each_row_is_guarded_by_itself() -> None:
    translator = wishing(_a=3, _b=2, repeated_ngram=2)
    state = heard(translator, "ab", "ab")
    _, state = write_word(translator, state, True, False)
    given, _ = write_word(translator, write_word(translator, state, True, False)[1], True, True)
    assert given == ["▁b", "▁a"]


def test_marks_that_are_no_text_are_never_written() -> None:
    translator = wishing(_a=1)
    bias = translator.embedding.bias.numpy()
    bias[[TOKENIZER.pad_id, TOKENIZER.start_id]] = 9
    translator.embedding.bias.assign(bias)
    state = heard(translator, "ab")
    assert write_word(translator, state, True)[0] == ["▁a"]
    for strategy in (Greedy(), Beam(2)):
        assert set(finish(translator, state, True, strategy=strategy)[0][0].split()) <= {"▁a"}


def test_a_beam_that_penalises_length_chooses_as_is_worked_out_by_hand() -> None:
    """One token that is likelier than the end: short hypotheses win without a penalty, long ones with a large one."""
    translator = wishing(_a=0.1, end=0.0)
    state = heard(translator, "ab")  # two subwords, for 12
    assert finish(translator, state, True)[0][0].split() == ["▁a"] * 12
    given, score = finish(translator, state, True, strategy=Beam(3, 0.0))
    normaliser = np.log(np.exp(0.1) + 1 + (TOKENIZER.size - 2) * np.exp(-9))
    assert given == [""]
    assert score[0] == pytest.approx(-normaliser, abs=1e-5)
    assert finish(translator, state, True, strategy=Beam(3, 5.0))[0][0].split() == ["▁a"] * 12


# === The source ===


def test_what_is_read_stands_behind_what_was() -> None:
    translator = wishing(_a=1)
    translator.network.set_weights(
        [np.random.default_rng(0).normal(size=weight.shape) for weight in translator.network.get_weights()]
    )
    state = read(translator, heard(translator, "abc", "b"), "", "cd")
    assert state["source_length"].numpy().tolist() == [3, 3]
    assert state["source_words"].numpy().tolist() == [1, 2]
    at_once = translator.read(
        tf.constant([[token("▁a"), token("b"), token("c")], [token("▁b"), token("▁c"), token("d")]]),
        tf.constant([3, 3]),
        translator.initial_state(2),
    )
    for name in ("memory", "keys", "encoder_hidden_0"):
        np.testing.assert_allclose(state[name], at_once[name], atol=1e-6, err_msg=name)
    assert (np.abs(state["memory"]).sum(axis=2) > 0).tolist() == [[True] * 3 + [False] * 4] * 2


def test_a_word_has_room_up_to_the_window() -> None:
    translator = wishing(_a=1)
    state = heard(translator, "abcd", "b", "")
    counts = (tf.constant([count] * 3) for count in (3, 4, 7, 8))
    assert [translator.has_room(count, state).numpy().tolist() for count in counts] == [
        *([True, True, True], [False, True, True], [False, False, True], [False, False, False])
    ]


def test_the_end_of_a_full_window_counts() -> None:
    """What is read last, in the last place, changes what is written."""
    translator = wishing()
    random = np.random.default_rng(3)
    translator.network.set_weights([random.normal(size=weight.shape) for weight in translator.network.get_weights()])
    full = heard(translator, "abcdabc")
    assert full["source_length"].numpy().tolist() == [WINDOW]
    scores = [finish(translator, heard(translator, text), True)[1][0] for text in ("abcdabc", "abcdabd")]
    assert scores[0] != pytest.approx(scores[1], abs=1e-4)


def test_attention_of_each_subword_over_the_source() -> None:
    translator = wishing()
    random = np.random.default_rng(4)
    translator.network.set_weights([random.normal(size=weight.shape) for weight in translator.network.get_weights()])
    source_ids, target_ids = (TOKENIZER.encode(tf.constant([text])).to_tensor() for text in ("ab cd a", "cab b"))
    weights = translator.attend(source_ids, target_ids).numpy()
    assert weights.shape == (1, 4, 5)
    np.testing.assert_allclose(weights.sum(axis=2), 1, atol=1e-6)
    changed = translator.attend(source_ids, tf.constant([[*target_ids.numpy()[0, :3], token("▁c")]])).numpy()
    np.testing.assert_array_equal(changed, weights)  # of the last one, nothing has been told when it is written
    with pytest.raises(ValueError, match="no attention to show"):
        Translator(network(attention="none"), TOKENIZER, Limits(WINDOW, 2.0, 0)).attend(source_ids, target_ids)
