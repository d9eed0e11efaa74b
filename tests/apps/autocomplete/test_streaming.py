import itertools
import json
import math
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.apps.autocomplete.character_completion import CharacterCompletion
from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import load_data
from runnel.apps.autocomplete.streaming import build_probe, build_stream
from runnel.shared.export.verify import ranked_distance
from runnel.shared.preprocessing.character_tokenizer import CharacterTokenizer
from runnel.shared.streaming.decode_strategies import Greedy

GOLDEN = Path(__file__).parents[2] / "golden" / "autocomplete_signatures.json"
ODD = (
    "naïve 🙂\t“well-known”\n\n".encode(),
    b"",
    b"nul \0 inside, \xff\xfe bad bytes \xe2\x82",  # the last two bytes begin a character
    b"\xac, then",
    "\u00a0Émile\u2019s don't-know 007 e\u0301\r\n \n\t ".encode(),
    b"x" * 300,
    b" the re",
)


@pytest.fixture(params=["words", "characters"])
def model(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["trained", "trained_on_characters"])
def either(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def start(model: Any, batch: int = 1) -> dict[str, tf.Tensor]:
    return dict(model.initial_state(batch_size=tf.constant(batch)))


def step(model: Any, texts: Sequence[bytes], state: dict[str, tf.Tensor]) -> tuple[dict, dict]:
    outputs = model.step(text=tf.constant(list(texts), tf.string), **state)
    return {name: outputs[name].numpy() for name in ("suggestions", "scores")}, {name: outputs[name] for name in state}


def typed(model: Any, pieces: Sequence[bytes]) -> tuple[dict, dict]:
    """One session, piece by piece."""
    state = start(model)
    for piece in pieces:
        results, state = step(model, [piece], state)
    return results, state


def served(model: Any, *texts: bytes) -> dict[str, np.ndarray]:
    answer = model.serving_default(text=tf.constant(list(texts), tf.string))
    return {name: value.numpy() for name, value in answer.items()}


def suggested(model: Any, text: str) -> list[tuple[str, float]]:
    answer = served(model, text.encode())
    return [
        (word.decode(), score) for word, score in zip(*(answer[n][0] for n in ("suggestions", "scores")), strict=True)
    ]


def assert_same(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    lists = [results["suggestions"].astype(object) for results in (actual, expected)]
    assert ranked_distance(*lists, actual["scores"], expected["scores"]) == 0, (actual, expected)
    np.testing.assert_allclose(actual["scores"], expected["scores"], atol=1e-5)


# === The streaming contract ===


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_any_cutting_gives_what_the_whole_gives(model: Any, size: int) -> None:
    text = b" ".join(ODD)
    pieces = [text[begin : begin + size] for begin in range(0, len(text), size)]
    results, state = typed(model, pieces)
    assert_same(results, served(model, text))
    _, at_once = typed(model, [text])
    for name, value in at_once.items():
        np.testing.assert_allclose(state[name], value, atol=1e-5, err_msg=name)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(pieces=st.lists(st.binary(max_size=8) | st.sampled_from(ODD), min_size=1, max_size=8))
def test_any_bytes_in_any_pieces(words: Any, characters: Any, pieces: list[bytes]) -> None:
    for model in (words, characters):
        assert_same(typed(model, pieces)[0], served(model, b"".join(pieces)))


def test_64_unequal_texts_equal_one_at_a_time(model: Any, sentences: Callable) -> None:
    text = sentences(40, 5).encode()
    texts = [*(text[17 * row : 17 * row + row * row % 97] for row in range(57)), *ODD]
    assert len(texts) == 64
    together = served(model, *texts)
    for row, text in enumerate(texts):
        assert_same({name: value[row : row + 1] for name, value in together.items()}, served(model, text))


def test_rows_may_be_regrouped_and_get_nothing(model: Any) -> None:
    """A server gathers the states of whoever has typed something."""
    _, state = step(model, [b"The quick b", b"My old", b""], start(model, 3))
    gathered = {name: tf.gather(value, [2, 0]) for name, value in state.items()}
    results, _ = step(model, [b"The re", b""], gathered)
    assert_same(results, served(model, b"The re", b"The quick b"))


def test_an_empty_piece_changes_nothing(model: Any) -> None:
    before, state = typed(model, [b"The quick", b" bro"])
    after, same = step(model, [b""], state)
    assert_same(after, before)
    for name, value in state.items():
        np.testing.assert_array_equal(same[name], value, err_msg=name)


def test_no_sessions_at_all(model: Any) -> None:
    assert served(model)["suggestions"].shape == (0, 5)
    results, state = step(model, [], start(model, 0))
    assert results["scores"].shape == (0, 5)
    assert all(value.shape[0] == 0 for value in state.values())


def test_order_matters(model: Any) -> None:
    """Words that are known, so it is the network that tells the orders apart."""
    (_, one), (_, other) = (typed(model, [text]) for text in (b"dog bites man. ", b"man bites dog. "))
    assert np.abs(one["state_context"] - other["state_context"]).max() > 1e-4
    same = typed(model, [b"dog bites man. "])[1]
    np.testing.assert_array_equal(one["state_context"], same["state_context"])


def test_text_far_beyond_the_training_window(model: Any, sentences: Callable) -> None:
    """Windows had 16 tokens; the text is longer than any block of the graph too."""
    text = sentences(60, 6).encode()
    cuts = [0, 1, 2, len(text) // 3, len(text) - 7, len(text)]
    results, state = typed(model, [text[begin:end] for begin, end in itertools.pairwise(cuts)])
    assert_same(results, served(model, text))
    assert all(np.isfinite(value).all() for value in state.values() if value.dtype.is_floating)


# === A program that knows nothing of this project ===


@pytest.mark.slow
def test_two_processes_with_tensorflow_alone_hand_streams_over(
    trained: Any,
    trained_on_characters: Any,
    words: Any,
    characters: Any,
    tmp_path: Path,
    run_alone: Callable[..., subprocess.CompletedProcess],
    sentences: Callable,
) -> None:
    unseen = sentences(30, 11).encode()
    keys = [unseen[at : at + 1] for at in range(1100)]  # a character of several bytes comes in several pieces
    halves = (
        [*keys[:500], *ODD, *(ODD[0][at : at + 1] for at in range(len(ODD[0])))],
        [*keys[500:], (unseen * 60)[:100_000], *ODD, b" ", *keys[:20], b" the r"],
    )
    exports = (trained, trained_on_characters)
    for number, pieces in enumerate(halves):
        (tmp_path / f"{number}.json").write_text(json.dumps([piece.hex() for piece in pieces]))
        arguments = (tmp_path, number, *(either.export / "saved_model" for either in exports))
        run_alone("tensorflow_only_client.py", *arguments)

    for export, either, here in zip(("0", "1"), exports, (words, characters), strict=True):
        one, two = (dict(np.load(tmp_path / f"{number}-{export}.npz")) for number in (0, 1))
        assert_same(last_of(one), {name: one[f"served_{name}"][None] for name in ("suggestions", "scores")})
        assert_same(last_of(two), served(here, b"".join([*halves[0], *halves[1]])))
        assert_same(key_of(one, 250), served(here, unseen[:251]))
        assert one["sizes"].tolist() == two["sizes"].tolist() == [either.manifest["state"]["bytes_per_session"]]
        assert len(one["scores"]) + len(two["scores"]) == sum(map(len, halves)) > 1100
        assert all(np.isfinite(seen["scores"]).all() for seen in (one, two))


def key_of(seen: dict[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    return {name: seen[name][number][None] for name in ("suggestions", "scores")}


def last_of(seen: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return key_of(seen, -1)


# === Suggestions ===


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        *(("", ""), ("The", "The"), ("The ", ""), ("the re", "re"), ("The quick bro", "bro"), ("Émile and É", "É")),
        *(("well-", "well-"), ("(", ""), ("dog (r", "r"), ("at 7", "7"), ("d", "d"), ("a.", ""), ("a\n\n", "")),
    ],
)
def test_suggestions_complete_what_is_typed(model: Any, text: str, prefix: str) -> None:
    suggestions = suggested(model, text)
    words = [word for word, _ in suggestions if word]
    scores = [score for _, score in suggestions]
    assert len(words) > 0
    assert all(word.startswith(prefix) for word in words), words
    assert all(word[0].isalnum() or word[0] == "_" for word in words), words
    assert len(set(words)) == len(words)
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores[: len(words)])
    assert scores[len(words) :] == [0] * (5 - len(words))
    assert sum(scores) <= 1 + 1e-5


def test_a_prefix_of_the_vocabulary_gives_its_words(words: Any) -> None:
    assert {word for word, _ in suggested(words, "The rec")} == {"record", "recording", ""}
    assert {word for word, _ in suggested(words, "The recordi")} == {"recording", ""}
    assert {word for word, _ in suggested(words, "The garden")} == {"garden", ""}
    assert 0.9 < suggested(words, "The garden")[0][1] < 1  # an unknown word may begin so
    assert {word for word, _ in suggested(words, "a caf")} == {"café", ""}


def test_nothing_completes_what_nothing_begins_with(words: Any) -> None:
    for text in ("zzz", "The zq", "Garden", "recordings", "🙂x", "x" * 10_000):
        assert suggested(words, text) == [("", 0)] * 5
    assert suggested(words, "zzz ")[0][1] > 0


def test_a_word_of_10_000_letters(model: Any) -> None:
    text = b"The " + b"abcdefghij" * 1000
    assert suggested(model, text.decode()) == [("", 0)] * 5
    results, _ = typed(model, [text[:5000], text[5000:], b" ", b"the", b" "])
    assert_same(results, served(model, text + b" the "))
    assert results["scores"][0, 0] > 0


def test_scores_of_words_are_the_softmax_over_the_words_that_fit(trained: Any, words: Any, network: Any) -> None:
    """An independent way: the exported Keras network and the cache by hand, nothing of the stream.

    What is left is for unknown words, as many of which begin with "r" as of the rarer half of the known words do; 0.75
    of a word is taken from that number.
    """
    vocabulary = trained.manifest["meanings"]["vocabulary"]
    tokens = ["</p>", "▁The", "▁quick", "▁dog", "▁sees"]
    probabilities = by_hand(trained, network, [vocabulary.index(token) for token in tokens])[-1]
    fitting = {token[1:]: probabilities[place] for place, token in enumerate(vocabulary) if token.startswith("▁r")}
    surfaces = [token.removeprefix("▁") for token in ("", "", *vocabulary[2:])]
    common = set(surfaces[: len(surfaces) // 2])
    rare = {word for word in surfaces if word and (word[0].isalnum() or word[0] == "_")} - common
    of_unknown = probabilities[0] * max(sum(word.startswith("r") for word in rare) - 0.75, 0) / len(rare)
    total = sum(fitting.values()) + of_unknown
    expected = sorted(((word, share / total) for word, share in fitting.items()), key=lambda pair: -pair[1])[:5]
    found = suggested(words, "The quick dog sees r")
    assert dict(found[: len(expected)]) == pytest.approx(dict(expected), abs=1e-5)


@pytest.fixture(scope="module")
def network(trained: Any) -> keras.Model:
    return keras.models.load_model(trained.export / "model.keras")


def by_hand(trained: Any, network: keras.Model, token_ids: list[int]) -> np.ndarray:
    """Probabilities [N, V] of what follows each of N tokens, the first of them the end mark before any text."""
    config = trained.manifest["config"]["advanced"]
    zeros = {name: np.zeros((1, config["units"]), np.float32) for name in ("hidden_0", "cell_0")}
    inputs = {"token_ids": np.array([token_ids]), "mask": np.ones((1, len(token_ids)), bool), "state": zeros}
    outputs, _ = network(inputs)
    embedding, bias = (weight.numpy() for weight in network.get_layer("embedding").weights)
    logits = outputs["context"][0].numpy().astype(np.float64) @ embedding.T + bias
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponents / exponents.sum(axis=1, keepdims=True)
    weight, places = trained.manifest["meanings"]["cache_weight"], config["cache_tokens"]
    for row in range(1, len(token_ids)):
        remembered = token_ids[1 : row + 1][-places:]
        counts = np.bincount(remembered, minlength=len(bias))
        probabilities[row] = (1 - weight * len(remembered) / places) * probabilities[row] + weight * counts / places
    return probabilities


# === Words spelt character by character ===


def next_characters(model: Any, text: str, characters: str) -> list[float]:
    """Probabilities of single characters after a text, by `score`."""
    _, state = typed(model, [text.encode()])
    many = {name: tf.repeat(value, len(characters), axis=0) for name, value in state.items()}
    scored = model.score(text=tf.constant([character.encode() for character in characters]), **many)
    assert scored["tokens"].numpy().tolist() == [1] * len(characters)
    return np.exp(scored["log_probability"].numpy()).tolist()


@pytest.mark.parametrize("text", ["the re", "The quick brown fo", "Ada and Ad", "doesn'", "the "])
def test_a_score_is_the_product_of_next_character_probabilities(
    characters: Any, trained_on_characters: Any, text: str
) -> None:
    """The end of a word is whatever cannot belong to it; after a joiner a word cannot end."""
    known = [token for token in trained_on_characters.manifest["meanings"]["vocabulary"] if len(token) == 1]
    outside = "".join(character for character in known if not character.isalnum() and character not in "_'\u2019-")
    letters = "".join(character for character in known if character.isalnum() or character == "_")
    prefix = text.split(" ")[-1]
    for word, score in [pair for pair in suggested(characters, text) if pair[0]][:3]:
        rest, product, so_far = word.removeprefix(prefix), 1.0, text
        for character in rest:
            product *= next_characters(characters, so_far, character)[0]
            so_far += character
        unknown = next_characters(characters, so_far, "☃")[0]  # ends a word too
        product *= sum(next_characters(characters, so_far, outside)) + unknown
        if not prefix:
            product /= sum(next_characters(characters, text, letters))
        assert score == pytest.approx(product, rel=1e-3), word


class Bigrams(tf.Module):
    """A toy in the place of `NextTokenModel`: the next character depends on the last one alone."""

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.table = tf.constant(table, tf.float32)

    def probabilities(self, state: dict[str, tf.Tensor]) -> tf.Tensor:
        return tf.gather(self.table, state["last"])

    def step(self, token_ids: tf.Tensor, state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"last": token_ids}


TOY = ("<unk>", "\n", " ", "a", "b", "'")


def toy_completion(table: np.ndarray, suggestions: int = 5) -> Any:
    return CharacterCompletion(CharacterTokenizer(TOY), Bigrams(table), suggestions)  # type: ignore[arg-type]


def exhaustive(table: np.ndarray, prefix: str, longest: int = 6) -> dict[str, float]:
    """The probability of every word of at most `longest` characters more, given that it begins with the prefix."""
    found: dict[str, float] = {}
    last = TOY.index(prefix[-1]) if prefix else TOY.index(" ")
    letters = table[last, 3] + table[last, 4]
    for length in range(longest + 1):
        for rest in itertools.product("ab'", repeat=length):
            word = prefix + "".join(rest)
            if not word or word[0] == "'" or word[-1] == "'" or "''" in word:
                continue
            ids = [TOY.index(character) for character in rest]
            steps = [table[before, after] for before, after in itertools.pairwise([last, *ids])]
            found[word] = math.prod(steps) * table[[last, *ids][-1], :3].sum() / (1 if prefix else letters)
    return found


@pytest.mark.parametrize("prefix", ["", "a", "ab'", "ba"])
def test_the_beam_finds_the_best_of_all_words(prefix: str) -> None:
    table = np.random.default_rng(3).dirichlet([1, 1, 3, 2, 2, 0.5], size=len(TOY))
    completion = toy_completion(table)
    _, typed_state = completion.tokenizer.step(tf.constant([f" {prefix}"]), completion.tokenizer.initial_state(1))
    last = TOY.index(prefix[-1]) if prefix else 2
    words, scores = completion.suggest(typed_state, {"last": tf.constant([last])})
    everything = exhaustive(table, prefix)
    best = sorted(everything, key=lambda word: -everything[word])[:5]
    assert [word.decode() for word in words[0].numpy()] == best
    np.testing.assert_allclose(scores[0], [everything[word] for word in best], rtol=1e-4)


def test_what_never_ends_is_no_word() -> None:
    """After an "a" comes "a" for ever; from "b" a word may end."""
    table = np.tile([0, 0, 0, 0.9, 0.1, 0], (len(TOY), 1))
    table[4] = [0, 0, 1, 0, 0, 0]
    completion = toy_completion(table)
    words, scores = completion.suggest(completion.tokenizer.initial_state(1), {"last": tf.constant([2])})
    assert [word.decode() for word in words[0].numpy()] == ["b", "ab", "aab", "aaab", "aaaab"]
    np.testing.assert_allclose(scores[0], [0.1 * 0.9**power for power in range(5)], rtol=1e-4)
    table[4] = [0, 0, 0, 1, 0, 0]  # now nothing ends
    completion = toy_completion(table)
    words, scores = completion.suggest(completion.tokenizer.initial_state(1), {"last": tf.constant([2])})
    assert words[0].numpy().tolist() == [b""] * 5
    assert scores[0].numpy().tolist() == [0] * 5


def test_a_vocabulary_without_letters_suggests_nothing() -> None:
    table = np.tile([0.1, 0.4, 0.5, 0, 0, 0], (len(TOY), 1))
    words, scores = toy_completion(table).suggest(
        toy_completion(table).tokenizer.initial_state(1), {"last": tf.constant([2])}
    )
    assert words[0].numpy().tolist() == [b""] * 5
    assert scores[0].numpy().tolist() == [0] * 5


# === generate ===


def written(model: Any, *prompts: str, **options: Any) -> list[str]:
    options = {"max_tokens": 12, "temperature": 0.0, "top_k": 0, "top_p": 1.0, "seed": 0} | options
    outputs = model.generate(prompt=tf.constant(prompts), **{name: tf.constant(v) for name, v in options.items()})
    return [text.decode() for text in outputs["text"].numpy()]


PROMPTS = (
    "The quick bro",
    "The quick brown ",
    "",
    "Ada and zzzxq",
    "dog.",
    "a\n\n",
    "naïve 🙂",
    "x" * 100,
    "well-",
    "(f",
)


def test_a_seed_fixes_the_text(model: Any) -> None:
    first = written(model, *PROMPTS, temperature=1.0, seed=7, max_tokens=30)
    assert written(model, *PROMPTS, temperature=1.0, seed=7, max_tokens=30) == first
    assert written(model, *PROMPTS, temperature=1.0, seed=8, max_tokens=30) != first


def test_a_row_is_written_as_alone(model: Any) -> None:
    for options in ({"temperature": 0.0}, {"temperature": 0.9, "top_p": 0.9, "seed": 3}):
        together = written(model, *PROMPTS, **options)
        assert together == [written(model, prompt, **options)[0] for prompt in PROMPTS]


def test_no_tokens_no_text(model: Any) -> None:
    for max_tokens in (0, -1):
        assert written(model, *PROMPTS, max_tokens=max_tokens) == [""] * len(PROMPTS)


def test_without_temperature_the_best_word_comes_next(words: Any) -> None:
    for prompt in ("The quick ", "The rec", "Ada and ", "the caf"):
        prefix = prompt.split(" ")[-1]
        assert prefix + written(words, prompt, max_tokens=1)[0] == suggested(words, prompt)[0][0]


def test_the_text_goes_on_with_the_word_being_typed(words: Any) -> None:
    assert written(words, "The recordi", max_tokens=1) == ["ng"]
    assert written(words, "(recordi", max_tokens=1) == ["ng"]  # known after a space alone
    assert written(words, "The quick brown", max_tokens=1) == [""]  # complete as it stands
    assert written(words, "zzzxq", max_tokens=1)[0].startswith(" ")


def test_characters_join_the_prompt(characters: Any) -> None:
    assert all(len(text) <= 12 for text in written(characters, *PROMPTS))
    one, two = (written(characters, "The qu", max_tokens=count)[0] for count in (1, 2))
    assert len(one) == 1
    assert two.startswith(one)
    assert two[1] == written(characters, "The qu" + one, max_tokens=1)[0]


def test_writing_stops_at_an_end_mark(words: Any) -> None:
    """At a high temperature, many seeds: none goes on behind a blank line, and some stop early."""
    texts = [text for seed in range(30) for text in written(words, "Ada.", "Max", temperature=3.0, seed=seed)]
    assert not any("\n\n" in text for text in texts)
    count = [len(text.split()) for text in texts]
    assert min(count) < max(count) / 2


def test_a_blank_line_ends_a_paragraph_of_characters() -> None:
    table = np.zeros((len(TOY), len(TOY)))
    table[3, 4] = table[4, 1] = table[1, 1] = 1  # "a", "b", newlines for ever
    completion = toy_completion(table)
    text = completion.generate(
        completion.tokenizer.initial_state(1), {"last": tf.constant([3])}, Greedy(), tf.constant(9)
    )
    assert text.numpy().tolist() == [b"b\n"]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [("b", "\n"), ("b\n", ""), ("b\n\n", "\n"), ("", "\n")],  # behind a paragraph's end another one begins
)
def test_a_newline_of_the_prompt_counts(prompt: str, text: str) -> None:
    completion = toy_completion(np.tile([0.0, 1, 0, 0, 0, 0], (len(TOY), 1)))  # newlines for ever
    tokenizer = completion.tokenizer
    _, typed_state = tokenizer.step(tf.constant([prompt]), tokenizer.initial_state(1))
    written = completion.generate(typed_state, {"last": tf.constant([1])}, Greedy(), tf.constant(9))
    assert written.numpy()[0].decode() == text


def test_a_prompt_may_end_with_a_newline(characters: Any) -> None:
    for seed in range(30):
        for text in written(characters, "Ada.", "Ada.\n", temperature=3.0, seed=seed, max_tokens=30):
            assert "\n\n" not in text
        assert not written(characters, "Ada.\n", temperature=3.0, seed=seed, max_tokens=30)[0].startswith("\n")


def test_unknown_characters_are_never_written() -> None:
    table = np.tile([0.9, 0, 0, 0.04, 0.06, 0], (len(TOY), 1))
    completion = toy_completion(table)
    text = completion.generate(
        completion.tokenizer.initial_state(1), {"last": tf.constant([2])}, Greedy(), tf.constant(3)
    )
    assert text.numpy().tolist() == [b"bbb"]


# === score ===


def test_scores_of_a_text_by_hand(trained: Any, words: Any, network: keras.Model) -> None:
    """As `by_hand` has it: a softmax in NumPy, and the cache counted."""
    vocabulary = trained.manifest["meanings"]["vocabulary"]
    tokens = ["</p>", "▁Ada", "▁and", "▁Ada", ":", "▁The", "▁quick", "<unk>", "▁sees", "▁Ada", ".", "</p>"]
    ids = [vocabulary.index(token) for token in tokens]
    probabilities = by_hand(trained, network, ids)
    expected = sum(math.log(probabilities[place, token]) for place, token in enumerate(ids[1:]))
    scored = words.score(text=tf.constant(["Ada and Ada: The quick flibbert sees Ada.\n\n"]), **start(words))
    assert scored["tokens"].numpy().tolist() == [11]
    assert float(scored["log_probability"][0]) == pytest.approx(expected, abs=1e-3)


def test_scores_of_pieces_add_up(model: Any, sentences: Callable) -> None:
    text = sentences(30, 9).encode() + ODD[0] + ODD[4]
    whole = model.score(text=tf.constant([text]), **start(model))
    for cuts in ([0, 1, 2, 50, 51, len(text)], [0, *range(7, len(text), 97), len(text)]):
        state, total, tokens = start(model), 0.0, 0
        for begin, end in itertools.pairwise(cuts):
            scored = model.score(text=tf.constant([text[begin:end]]), **state)
            state = {name: scored[name] for name in state}
            total, tokens = total + float(scored["log_probability"][0]), tokens + int(scored["tokens"][0])
        assert tokens == int(whole["tokens"][0])
        assert total == pytest.approx(float(whole["log_probability"][0]), rel=1e-4)
        for name in state:
            np.testing.assert_allclose(state[name], whole[name], atol=1e-5, err_msg=name)


def test_scores_of_rows_of_unequal_length(model: Any) -> None:
    together = model.score(text=tf.constant([*ODD, b""]), **start(model, len(ODD) + 1))
    for row, text in enumerate([*ODD, b""]):
        alone = model.score(text=tf.constant([text]), **start(model))
        assert float(together["log_probability"][row]) == pytest.approx(float(alone["log_probability"][0]), abs=1e-3)
        assert int(together["tokens"][row]) == int(alone["tokens"][0])


# === The cache of the user's latest words ===


def rank(model: Any, text: str, word: str) -> int:
    """The place of a word among all next words that begin with its first two letters; 5 where it is not listed."""
    listed = [suggestion for suggestion, _ in suggested(model, text)]
    return listed.index(word) if word in listed else 5


def test_a_word_that_is_used_again_and_again_rises(words: Any) -> None:
    for word in ("miller", "garçon", "garden"):
        before, after = (dict(suggested(words, text)).get(word, 0) for text in ("The ", f"{word} " * 30 + "The "))
        assert after > before
        assert rank(words, f"{word} " * 30 + "The ", word) == 0


def test_without_a_cache_the_state_has_none(trained: Any, words: Any, network: keras.Model) -> None:
    config = Config.from_dict(trained.manifest["config"])
    data = load_data(config)
    without, with_one = (
        build_stream(network, data.tokenizer, config, weight).initial_state(1).keys() for weight in (0.0, 0.4)
    )
    assert with_one - without == {"cache"}
    assert {f"state_{name}" for name in with_one} == start(words).keys()


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


def test_verification_measured_what_was_promised(either: Any) -> None:
    measured = json.loads((either.export / "verification.json").read_text())
    assert measured["passed"]
    assert measured["state_bytes_per_session"] == either.manifest["state"]["bytes_per_session"] < 4 * 1024


def test_probe_holds_odd_and_empty_sessions(trained: Any) -> None:
    probe = build_probe(load_data(Config.from_dict(trained.manifest["config"])))
    texts = probe.serve["text"].tolist()
    assert b"" in texts
    assert any(text.decode(errors="replace").encode() != text for text in texts)
    for pieces in probe.chunkings:
        assert [b"".join(column) for column in zip(*(piece["text"] for piece in pieces), strict=True)] == texts


def test_probe_writes_with_the_published_options(trained: Any) -> None:
    probe = build_probe(load_data(Config.from_dict(trained.manifest["config"])))
    published = trained.manifest["meanings"]["defaults"]
    for name in ("temperature", "top_k", "top_p"):
        assert float(probe.extra["generate"][name]) == pytest.approx(published[name])
