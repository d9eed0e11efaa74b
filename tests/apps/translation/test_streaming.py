import io
import itertools
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.apps.translation.config import Config
from runnel.apps.translation.data import load_data
from runnel.apps.translation.streaming import build_probe

GOLDEN = Path(__file__).parents[2] / "golden" / "translation_signatures.json"
ODD = (
    "naïve 🙂\t“one cat”\n\n".encode(),
    b"",
    b"nul \0 inside\0, \xff\xfe bad bytes \xe2\x82",  # the last two bytes begin a character
    b"\xac, then",
    "\u00a0Émile\u2019s don't-know e\u0301\r\n \n\t ".encode(),
    b"x" * 300,
    b"1234567890 42 3.14",
    b"cat",
    "Привет, мир. 你好世界 שלום العربية".encode(),
    b" \t\r\n ",
)

State = dict[str, tf.Tensor]


def start(model: Any, batch: int = 1, wait_k: Any = 0) -> State:
    state = dict(model.initial_state(batch_size=tf.constant(batch)))
    return {**state, "state_wait_k": tf.broadcast_to(tf.constant(wait_k), [batch])}


def step(model: Any, texts: Sequence[bytes], final: Any, state: State) -> tuple[list[bytes], State]:
    final = tf.broadcast_to(tf.constant(final), [len(texts)])
    outputs = model.step(text=tf.constant(list(texts), tf.string), final=final, **state)
    np.testing.assert_array_equal(outputs["finished"], final)
    return outputs["committed"].numpy().tolist(), {name: outputs[name] for name in state}


def stream(model: Any, pieces: Sequence[bytes], wait_k: int = 0) -> list[bytes]:
    """What one session is given for each piece of a sentence; the last piece is final."""
    state, given = start(model, 1, wait_k), []
    for place, piece in enumerate(pieces):
        (committed,), state = step(model, [piece], place == len(pieces) - 1, state)
        given.append(committed)
    assert_initial(model, state, wait_k)
    return given


def assert_initial(model: Any, state: State, wait_k: Any) -> None:
    """All rows are ready for another sentence, to be translated as this one was."""
    for name, value in start(model, len(state["state_wait_k"]), wait_k).items():
        np.testing.assert_array_equal(state[name], value, err_msg=name)


def whole(model: Any, *texts: bytes, signature: str = "greedy") -> tuple[list[bytes], np.ndarray]:
    answer = getattr(model, signature)(text=tf.constant(list(texts), tf.string))
    return answer["translation"].numpy().tolist(), answer["score"].numpy()


def cut(text: bytes, size: int) -> list[bytes]:
    return [text[begin : begin + size] for begin in range(0, len(text), size)] or [b""]


def word_by_word(text: bytes) -> list[bytes]:
    """Each word with the space that completes it, but for the last."""
    words = text.split(b" ")
    return [*(word + b" " for word in words[:-1]), words[-1]]


def prose(count: int, seed: int, sentences: Callable) -> bytes:
    """So many words of the toy language, in one text."""
    words = " ".join(source for source, _ in sentences(min(count, 400), seed)).split(" ")
    return " ".join((words * (count // len(words) + 1))[:count]).encode()


# === Whole sentences ===


def test_equals_the_network_asked_for_one_token_at_a_time(wild: Any, sentences: Callable) -> None:
    texts = [*(source for source, _ in sentences(2, 5)), "cat", "zzz 42", prose(9, 5, sentences).decode()]
    translations, scores = whole(wild.module, *map(str.encode, texts))
    for text, translation, score in zip(texts, translations, scores, strict=True):
        committed, expected = wild.by_hand.translate(text)
        assert translation.decode() == "".join(committed)
        assert score == pytest.approx(expected, abs=1e-4)


def test_the_toy_language_has_been_learnt(model: Any, sentences: Callable) -> None:
    pairs = sentences(60, 9)
    for signature in ("greedy", "serving_default"):
        translations, _ = whole(model, *(source.encode() for source, _ in pairs), signature=signature)
        right = sum(given.decode() == target for given, (_, target) in zip(translations, pairs, strict=True))
        assert right >= 54, signature


def texts_of_unequal_length(count: int, sentences: Callable) -> list[bytes]:
    text = prose(60, 4, sentences)
    return [*ODD, *(text[7 * row : 7 * row + row * row % 97] for row in range(count - len(ODD)))]


@pytest.mark.parametrize("signature", ["greedy", "serving_default"])
def test_alone_and_in_a_padded_batch_of_64(model: Any, sentences: Callable, signature: str) -> None:
    texts = texts_of_unequal_length(64, sentences)
    together, scores = whole(model, *texts, signature=signature)
    for text, translation, score in zip(texts, together, scores, strict=True):
        (alone,), expected = whole(model, text, signature=signature)
        assert translation == alone, text
        np.testing.assert_allclose(score, expected[0], atol=1e-5)


def test_rows_of_any_network_do_not_leak(wild: Any, sentences: Callable) -> None:
    texts = texts_of_unequal_length(16, sentences)
    together, _ = whole(wild.module, *texts)
    assert together == [whole(wild.module, text)[0][0] for text in texts]


def test_a_beam_of_one_is_greedy(build_wild: Callable, sentences: Callable) -> None:
    texts = texts_of_unequal_length(20, sentences)
    module = build_wild("no attention").module
    (greedy, scores), (beam, beam_scores) = (whole(module, *texts, signature=n) for n in ("greedy", "serving_default"))
    assert beam == greedy
    np.testing.assert_allclose(beam_scores, scores, atol=1e-5)


def test_a_beam_finds_what_is_likelier(model: Any, sentences: Callable) -> None:
    """With texts that the model does not know, for it to be in doubt."""
    texts = [source.encode()[::-1] for source, _ in sentences(40, 3)]
    (greedy, scores), (beam, beam_scores) = (whole(model, *texts, signature=n) for n in ("greedy", "serving_default"))
    differ = np.array([one != other for one, other in zip(greedy, beam, strict=True)])
    assert differ.any()
    assert beam_scores[differ].mean() > scores[differ].mean()


def test_no_text_at_all(any_model: Any) -> None:
    assert whole(any_model)[0] == []
    assert step(any_model, [], False, start(any_model, 0))[0] == []


def assert_sane(texts: Sequence[bytes], translations: Sequence[bytes], scores: np.ndarray) -> None:
    """Text of a bounded length: a byte is three subwords at most, which give six, none of more than ten bytes."""
    assert np.isfinite(scores).all()
    assert (scores <= 0).all()
    for text, translation, score in zip(texts, translations, scores, strict=True):
        translation.decode()
        assert len(translation) < 60 * len(text) + 400
        if not text.strip():
            assert (translation, score) == (b"", 0)


def test_odd_texts_have_sane_answers(any_model: Any) -> None:
    assert_sane(ODD, *whole(any_model, *ODD))


@pytest.mark.parametrize("signature", ["greedy", "serving_default"])
def test_long_texts_have_sane_answers(model: Any, sentences: Callable, signature: str) -> None:
    texts = [prose(500, 6, sentences), b"\xff" * 70, "🙂".encode() * 99, b"cat"]
    assert_sane(texts, *whole(model, *texts, signature=signature))


# === Word by word, and in any other pieces ===


def test_word_by_word_without_a_wait_is_greedy(any_model: Any, sentences: Callable) -> None:
    for text in [prose(9, 1, sentences), prose(2, 2, sentences), *ODD]:
        given = stream(any_model, word_by_word(text))
        assert given[:-1] == [b""] * (len(given) - 1)
        assert given[-1] == whole(any_model, text)[0][0]


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_any_cutting_gives_what_the_whole_gives(any_model: Any, size: int) -> None:
    text = b" ".join(ODD[:5])
    for wait_k in (0, 2):
        assert b"".join(stream(any_model, cut(text, size), wait_k)) == stream(any_model, [text], wait_k)[0]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    pieces=st.lists(st.binary(max_size=8) | st.sampled_from([*ODD, b"one ", b"cat red "]), min_size=1, max_size=8),
    wait_k=st.integers(0, 4),
)
def test_any_bytes_in_any_pieces(model: Any, pieces: list[bytes], wait_k: int) -> None:
    text = b"".join(pieces)
    given = b"".join(stream(model, pieces, wait_k))
    assert given == stream(model, [text], wait_k)[0]
    if wait_k == 0:
        assert given == whole(model, text)[0][0]


def test_nothing_is_added_for_nothing(model: Any) -> None:
    state = step(model, [b"one cat r"], False, start(model, 1, 2))[1]
    given, same = step(model, [b""], False, state)
    assert given == [b""]
    for name, value in state.items():
        np.testing.assert_array_equal(same[name], value, err_msg=name)


# === Before a sentence ends ===


def test_a_wait_is_what_the_network_was_trained_with(build_wild: Callable, sentences: Callable) -> None:
    """Words in time, and the same ones as the network run by hand writes with what it may see."""
    wild = build_wild("attention")
    texts = [*(source for source, _ in sentences(2, 8)), "zzz 42 cat", prose(9, 3, sentences).decode()]
    for text, wait_k in itertools.product(texts, (1, 2, 4)):
        committed, _ = wild.by_hand.translate(text, wait_k)
        pieces = [*word_by_word(text.encode())[:-1], text.encode().split(b" ")[-1] + b" ", b""]
        assert [one.decode() for one in stream(wild.module, pieces, wait_k)] == committed


@pytest.mark.parametrize("combination", ["bidirectional", "no attention", "neither"])
def test_a_model_that_needs_whole_sentences_waits_for_them(
    build_wild: Callable, sentences: Callable, combination: str
) -> None:
    module = build_wild(combination).module
    text = prose(6, 1, sentences)
    assert stream(module, word_by_word(text), 1) == [b""] * 5 + whole(module, text)[0]


def test_the_toy_language_in_time(model: Any, sentences: Callable) -> None:
    pairs = sentences(30, 11)
    for wait_k in (1, 2, 3):
        right = 0
        for source, target in pairs:
            given = [one.decode() for one in stream(model, word_by_word(source.encode()), wait_k)]
            assert all(one == "" for one in given[: wait_k - 1])
            assert all(len(one.split()) <= 1 for one in given[wait_k - 1 : -1]), given
            right += "".join(given) == target
        assert right >= 24, wait_k


def test_what_is_committed_does_not_depend_on_what_comes_later(early_model: Any) -> None:
    begin = [b"two ", b"sun ", b"sad ", b"is "]
    for wait_k in (1, 2, 3):
        several = [stream(early_model, [*begin, *more], wait_k) for more in ([b"red."], [b"zzz ", b"7!"], [b""])]
        assert len({b"|".join(given[:4]) for given in several}) == 1
        assert several[0][wait_k - 1] != b""


def test_a_long_wait_is_the_whole_sentence(model: Any, sentences: Callable) -> None:
    for source, _ in sentences(5, 12):
        assert stream(model, word_by_word(source.encode()), 99)[-1] == whole(model, source.encode())[0][0]


def test_32_sessions_with_waits_of_their_own_equal_each_alone(early_model: Any, sentences: Callable) -> None:
    texts = texts_of_unequal_length(32, sentences)
    waits = [row % 5 for row in range(32)]
    pieces = [cut(text, 3 + row % 11) for row, text in enumerate(texts)]
    state, joined = start(early_model, 32, waits), [b""] * 32
    for place in range(max(map(len, pieces))):
        now = [row[place] if place < len(row) else b"" for row in pieces]
        final = [place == len(row) - 1 for row in pieces]
        given, state = step(early_model, now, final, state)
        joined = [one + more for one, more in zip(joined, given, strict=True)]
    assert_initial(early_model, state, waits)
    for text, wait_k, together in zip(texts, waits, joined, strict=True):
        assert together == stream(early_model, [text], wait_k)[0]


def test_rows_may_be_regrouped(model: Any) -> None:
    """A server gathers the states of whoever has said something."""
    _, state = step(model, [b"one cat o", b"my dog ", b""], False, start(model, 3, [1, 2, 0]))
    gathered = {name: tf.gather(value, [2, 0]) for name, value in state.items()}
    given, _ = step(model, [b"two sun sad.", b"ld eats."], True, gathered)
    assert given[0] == whole(model, b"two sun sad.")[0][0]
    assert b"un chat" + given[1] == b"".join(stream(model, [b"one cat o", b"ld eats."], 1))


# === Sentence after sentence, and more than the window holds ===


def test_the_next_sentence_begins_afresh(any_model: Any) -> None:
    state = start(any_model, 1, 2)
    for text in (b"one cat old.", b"my sun sad is!", b"", b"one cat old."):
        given, state = step(any_model, [text], True, state)
        assert given == stream(any_model, [text], 2)


def test_more_text_than_the_window(
    any_model: Any, model: Any, trained: Any, tokenizer: Any, sentences: Callable
) -> None:
    """At its end a text is translated as if it ended there; of what follows, the first word keeps its space."""
    text = prose(260, 2, sentences)
    window = trained.manifest["meanings"]["window"]
    assert 2 * window < len(tokenizer.encode(tf.constant([text])).to_list()[0]) < 3 * window
    given = stream(any_model, word_by_word(text))
    early = [place for place, one in enumerate(given[:-1]) if one]
    assert len(early) == 2
    words = text.split(b" ")
    parts = [b" ".join(words[begin:end]) for begin, end in itertools.pairwise([0, *early, len(words)])]
    translations, _ = whole(any_model, *parts)  # the word that did not fit is the first of the next part
    first, *later = filter(None, given)  # only the very first has lost the space before it
    assert [first, *(one.removeprefix(b" ") for one in later)] == translations
    # Large random weights need not begin with a word, which has a space before it.
    assert any_model is not model or [one[:1] for one in later] == [b" ", b" "]
    assert b"".join(given) == whole(any_model, text)[0][0]


def test_the_state_of_a_long_talk_has_a_constant_form(model: Any, trained: Any, sentences: Callable) -> None:
    state = start(model, 2, [0, 3])
    form = {name: (value.shape, value.dtype) for name, value in state.items()}
    size = sum(value.numpy().nbytes for value in start(model).values())
    assert size == trained.manifest["state"]["bytes_per_session"]
    text = prose(600, 8, sentences)
    for piece in [*cut(text, 701), b"x" * 2000, b"\xff" * 500]:
        _, state = step(model, [piece, piece], False, state)
        assert {name: (value.shape, value.dtype) for name, value in state.items()} == form
        assert all(np.isfinite(value).all() for value in state.values() if value.dtype.is_floating)


@pytest.mark.parametrize("wait_k", [0, 2])
def test_a_state_goes_through_bytes(any_model: Any, wait_k: int) -> None:
    pieces = [b"two boy s", b"ad hears caf\xc3", b"\xa9 again."]
    state, joined = start(any_model, 1, wait_k), b""
    for place, piece in enumerate(pieces):
        (given,), state = step(any_model, [piece], place == 2, state)
        joined += given
        stored = io.BytesIO()
        np.savez(stored, **{name: value.numpy() for name, value in state.items()})
        with np.load(io.BytesIO(stored.getvalue())) as arrays:
            state = {name: tf.constant(arrays[name]) for name in arrays.files}
    assert joined == stream(any_model, [b"".join(pieces)], wait_k)[0]


# === A program that knows nothing of this project ===


@pytest.mark.slow
def test_a_process_with_tensorflow_alone_translates_a_stream(
    trained: Any, model: Any, tmp_path: Path, run_alone: Callable[..., subprocess.CompletedProcess], sentences: Callable
) -> None:
    texts = [*(source.encode() for source, _ in sentences(20, 13)), *ODD, prose(90, 7, sentences)]
    waits = [place % 4 for place in range(len(texts))]
    asked = [{"text": text.hex(), "wait_k": wait_k} for text, wait_k in zip(texts, waits, strict=True)]
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    run_alone(
        "tensorflow_only_client.py", trained.export / "saved_model", tmp_path / "asked.json", tmp_path / "said.json"
    )
    said = json.loads((tmp_path / "said.json").read_text())
    for text, wait_k, answer in zip(texts, waits, said, strict=True):
        assert bytes.fromhex(answer["streamed"]) == stream(model, [text], wait_k)[0]
        assert bytes.fromhex(answer["greedy"]) == whole(model, text)[0][0]
        assert answer["pieces"] >= min(len(text), 2)
        assert answer["sizes"] == [trained.manifest["state"]["bytes_per_session"]]


# === What is exported ===


def test_signatures_are_the_golden_ones(trained: Any) -> None:
    """A difference is a breaking change: it belongs into CHANGELOG.md, and then into the golden file."""
    found = {
        signature: {
            side: {name: f"{spec['dtype']} {spec['shape']}" for name, spec in specs.items()}
            for side, specs in sides.items()
        }
        for signature, sides in trained.manifest["signatures"].items()
    }
    assert found == json.loads(GOLDEN.read_text())


def test_verification_measured_what_was_promised(trained: Any) -> None:
    measured = json.loads((trained.export / "verification.json").read_text())
    assert measured["passed"]
    assert measured["state_bytes_per_session"] == trained.manifest["state"]["bytes_per_session"] < 128 * 1024


def test_probe_holds_odd_and_long_and_empty_texts(trained: Any) -> None:
    config = Config.from_dict(trained.manifest["config"])
    probe = build_probe(load_data(config), config)
    texts = probe.serve["text"].tolist()
    assert len(max(texts, key=len).split()) > config.advanced.window
    streamed = probe.extra["greedy"]["text"].tolist()
    assert b"" in streamed
    assert any(text.decode(errors="replace").encode() != text for text in streamed)
    for pieces in probe.chunkings:
        assert [b"".join(column) for column in zip(*(piece["text"] for piece in pieces), strict=True)] == streamed
        assert [piece["final"].tolist() for piece in pieces] == [[False] * 6] * (len(pieces) - 1) + [[True] * 6]
    assert {len(pieces) == 1 for pieces in probe.chunkings} == {True, False}
    assert set(probe.starts[0]["state_wait_k"].tolist()) == {1, 2, 3}
