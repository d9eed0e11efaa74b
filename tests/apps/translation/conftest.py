import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

OPTIONS = (
    *("--units", "48", "--embedding", "32", "--depth", "1", "--vocabulary", "400", "--window", "128", "--beam", "2"),
    *("--dropout", "0", "--embedding-dropout", "0", "--batch-tokens", "400", "--longest-wait", "3"),
    *("--epochs", "3", "--steps-per-epoch", "130", "--learning-rate", "0.01", "--averaging", "0.9"),
)
SLOTS = (
    {"one": "un", "two": "deux", "my": "mon", "no": "pas de"},
    {"cat": "chat", "dog": "chien", "boy": "garçon", "sun": "soleil"},
    {"red": "rouge", "old": "âgé", "sad": "triste", "here": "ici"},
    {"eats": "mange", "hears": "entend", "is": "n'est", "": ""},
    {".": ".", "!": "\u202f!"},
)
COMBINATIONS = {
    "attention": {"simultaneous": True},
    "bidirectional": {"encoder": "bidirectional"},
    "no attention": {"attention": "none"},
    "neither": {"attention": "none", "encoder": "bidirectional"},
}


@dataclass(frozen=True)
class Trained:
    """A model that has learnt a language of a few words."""

    run: Path
    export: Path
    pairs: Path
    said: str

    @property
    def command(self) -> list[str]:
        """What trained it."""
        options = [*OPTIONS, "--data", str(self.pairs), "--simultaneous", "True", "--out", str(self.run)]
        return ["train", "translation", *options]

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.export / "manifest.json").read_text())


def sentences(count: int, seed: int) -> list[tuple[str, str]]:
    """Different sentences of a toy English, which has 512, and their translations, word by word."""
    random = np.random.default_rng(seed)
    pairs: dict[str, str] = {}
    while len(pairs) < count:
        chosen = [list(slot.items())[random.integers(len(slot))] for slot in SLOTS]
        source, target = (" ".join(filter(None, side[:-1])) + side[-1] for side in zip(*chosen, strict=True))
        pairs[source] = target
    return list(pairs.items())


def write_tsv(path: Path, pairs: list[tuple[str, str]]) -> Path:
    path.write_text("".join(f"{source}\t{target}\n" for source, target in pairs), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, train_in_process: Callable[..., str]) -> Trained:
    """A model with attention that has also learnt to translate before a sentence ends."""
    folder = tmp_path_factory.mktemp("translation")
    pairs = write_tsv(folder / "pairs.tsv", sentences(300, seed=0))
    trained = Trained(folder / "run", folder / "run" / "export", pairs, "")
    said = train_in_process(*trained.command[1:])
    return Trained(trained.run, trained.export, pairs, said)


@pytest.fixture(scope="session")
def model(trained: Trained) -> Any:
    """The export, as TensorFlow alone loads it."""
    import tensorflow as tf

    return tf.saved_model.load(str(trained.export / "saved_model"))


class ByHand:
    """Translates in plain Python: the network as it is trained, on all tokens so far, asked for one more at a time.

    What is written sees the words of the source that a wait has let in, as in training, and the limits of a translation
    are counted one by one.
    """

    def __init__(self, network: Any, tokenizer: Any, config: Any) -> None:
        import tensorflow as tf

        from runnel.apps.translation.model import next_token_logits, start_state

        self.tokenizer, self.limits = tokenizer, config.advanced
        self.words: list[list[int]] = []
        takes_visible = config.attention != "none"

        @tf.function(input_signature=[tf.TensorSpec([1, None], tf.int32)] * 3, autograph=False)
        def ask(source_ids: Any, target_ids: Any, seen: Any) -> Any:
            inputs = {
                "source_ids": source_ids,
                "source_mask": tf.ones_like(source_ids, tf.bool),
                "target_ids": target_ids,
                "target_mask": tf.ones_like(target_ids, tf.bool),
                "state": start_state(network, 1),
            }
            if takes_visible:
                inputs["visible"] = tf.range(tf.shape(source_ids)[1]) < seen[..., None]
            context = network(inputs, training=False)["context"]
            return tf.nn.log_softmax(next_token_logits(network, context[:, -1]))[0]

        self.ask = ask

    def translate(self, text: str, wait_k: int = 0) -> tuple[list[str], float]:
        """What is committed after each word and at the end, and the mean log probability of what comes at ends."""
        words = [word[at : at + 30] for word in text.split() for at in range(0, len(word), 30)]
        self.clear()
        committed, log_probability, tokens = [], 0.0, 0
        for word in [*words, None]:
            new = list[int]()
            ids = [] if word is None else self.tokenizer.encode_words([word]).to_list()[0]
            if self.source and (word is None or len(self.source) + len(ids) > self.limits.window):
                new, score = self.finish()
                log_probability, tokens = log_probability + score, tokens + len(new) + 1
                self.clear()
            self.source += ids
            self.words += bool(ids)
            if word is not None and 0 < wait_k <= self.words:
                new += self.write_word()
            committed.append(new)
        return self.texts(committed), log_probability / max(tokens, 1)

    def clear(self) -> None:
        self.source, self.written, self.seen, self.words = list[int](), list[int](), list[int](), 0

    def texts(self, committed: list[list[int]]) -> list[str]:
        texts, begun = [], False
        for token_ids in committed:
            tokens, length = np.array([token_ids], np.int32), np.array([len(token_ids)], np.int32)
            text = self.tokenizer.decode_continuation(tokens, length).numpy()[0].decode(errors="replace")
            texts.append(text if begun else text.removeprefix(" "))
            begun = begun or bool(token_ids)
        return texts

    def write_word(self) -> list[int]:
        new = list[int]()
        while not self.is_full and len(new) < 32:
            best = int(np.argmax(self.next()))
            if best == self.tokenizer.end_id or (new and self.tokenizer.is_word_start[best]):
                break
            new.append(best)
            self.write(best)
        return new

    def finish(self) -> tuple[list[int], float]:
        new, score = list[int](), 0.0
        while not self.is_full:
            log_probabilities = self.next()
            best = int(np.argmax(log_probabilities))
            score += float(log_probabilities[best])
            if best == self.tokenizer.end_id:
                break
            new.append(best)
            self.write(best)
        return new, score

    def write(self, token: int) -> None:
        self.written.append(token)
        self.seen.append(len(self.source))

    @property
    def is_full(self) -> bool:
        return len(self.written) >= int(self.limits.longest_ratio * len(self.source)) + 8

    def next(self) -> np.ndarray:
        target_ids = [[self.tokenizer.start_id, *self.written]]
        seen = [[*self.seen, len(self.source)]]
        found = self.ask(*(np.array(ids, np.int32) for ids in ([self.source], target_ids, seen))).numpy()
        blocked = {self.tokenizer.pad_id, self.tokenizer.start_id}
        order = self.limits.repeated_ngram
        latest = self.written[-(order - 1) :]
        ngrams = [self.written[at : at + order] for at in range(len(self.written) - order + 1)]
        blocked |= {ngram[-1] for ngram in ngrams if ngram[:-1] == latest}
        found[[*blocked]] = -np.inf
        return found


@dataclass(frozen=True)
class Wild:
    """A model of large random weights, which writes much, and nothing that makes sense."""

    config: Any
    network: Any
    tokenizer: Any
    module: Any
    by_hand: ByHand


def wild_network(tokenizer: Any, **options: Any) -> tuple[Any, Any]:
    """The options of a small model, and its network with large weights: words are likelier than bytes and the end."""
    from runnel.apps.translation.config import Advanced, Config
    from runnel.apps.translation.model import build_model

    config = Config(**options, advanced=Advanced(units=12, embedding=8, depth=1, beam=1, repeated_ngram=3))
    network = build_model(config, tokenizer.size, use_cudnn=False)
    random = np.random.default_rng(1)
    network.set_weights([random.normal(scale=0.7, size=weight.shape) for weight in network.get_weights()])
    bias = np.where(tokenizer.is_word_start, 1.0, -1.0)
    bias[:259] = -5.0
    bias[tokenizer.end_id] = 1.0
    network.get_layer("embedding").bias.assign(bias)
    return config, network


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    from runnel.shared.preprocessing.fit_subwords import fit_subwords
    from runnel.shared.preprocessing.subword_tokenizer import SubwordTokenizer

    return SubwordTokenizer(fit_subwords([text for pair in sentences(300, seed=0) for text in pair], 400))


@pytest.fixture(scope="session")
def build_wild(tokenizer: Any) -> Callable[[str], Wild]:
    """Each of the combinations; all but one without the graph of the beam, which takes long to trace."""
    from runnel.apps.translation.streaming import TranslationStream, build_stream
    from runnel.shared.export.signatures import build_servable

    @functools.cache
    def build(name: str) -> Wild:
        config, network = wild_network(tokenizer, **COMBINATIONS[name])
        stream = build_stream(network, tokenizer, config)
        if name == "no attention":
            module = build_servable(stream).module
        else:
            changed = {"serve": TranslationStream.greedy, "extra_signatures": {}}
            stream.__class__ = type("Greedy", (TranslationStream,), changed)
            module = build_servable(stream).module
            module.greedy = module.serving_default
        return Wild(config, network, tokenizer, module, ByHand(network, tokenizer, config))

    return build


@pytest.fixture(scope="session", params=COMBINATIONS)
def wild(request: pytest.FixtureRequest, build_wild: Callable[[str], Wild]) -> Wild:
    """Each way to build the network."""
    return build_wild(request.param)


@pytest.fixture(scope="session", params=["trained", *COMBINATIONS])
def any_model(request: pytest.FixtureRequest, build_wild: Callable[[str], Wild]) -> Any:
    """The export, and each way to build the network."""
    return request.getfixturevalue("model") if request.param == "trained" else build_wild(request.param).module


@pytest.fixture(scope="session", params=["trained", "attention"])
def early_model(request: pytest.FixtureRequest, build_wild: Callable[[str], Wild]) -> Any:
    """Those that can translate before a sentence ends."""
    return request.getfixturevalue("model") if request.param == "trained" else build_wild(request.param).module


class CopyingModel:
    """In the place of an export: translates each word by itself, as a function says, and is as late as it is told.

    A word is complete with the space behind it, or at the end.
    """

    def __init__(self, translate: Callable[[str], str] = str) -> None:
        self.translate = translate
        self.heard: list[str] = []

    def serving_default(self, text: Any) -> dict[str, Any]:
        import tensorflow as tf

        translations = [" ".join(map(self.translate, one.decode().split())) for one in text.numpy()]
        return {"translation": tf.constant(translations), "score": tf.fill([len(translations)], -0.5)}

    greedy = serving_default

    def initial_state(self, batch_size: Any) -> dict[str, Any]:
        import tensorflow as tf

        self.heard = [""] * int(batch_size)
        return {f"state_{name}": tf.zeros([batch_size], tf.int32) for name in ("wait_k", "words")}

    def step(self, text: Any, final: Any, state_wait_k: Any, state_words: Any) -> dict[str, Any]:
        import tensorflow as tf

        committed, words = [], state_words.numpy()
        for row, (piece, is_final) in enumerate(zip(text.numpy(), final.numpy(), strict=True)):
            heard = self.heard[row] + piece.decode()
            complete = (heard if is_final else heard[: heard.rfind(" ") + 1]).split()
            wait, before = int(state_wait_k[row]), int(words[row])
            due = len(complete) if is_final else max(len(complete) - wait + 1, before) if wait else 0
            added = filter(None, map(self.translate, complete[before:due]))
            committed.append("".join(f" {word}" for word in added).removeprefix("" if before else " "))
            self.heard[row], words[row] = ("", 0) if is_final else (heard, due)
        state = {"state_wait_k": state_wait_k, "state_words": tf.constant(words)}
        return {"committed": tf.constant(committed), "finished": final, **state}


@pytest.fixture(scope="session")
def copying_model() -> type[CopyingModel]:
    return CopyingModel


@pytest.fixture(scope="session")
def options() -> tuple[str, ...]:
    """Of a training that takes some seconds."""
    return OPTIONS


@pytest.fixture(scope="session", name="sentences")
def sentences_fixture() -> Callable[[int, int], list[tuple[str, str]]]:
    return sentences


@pytest.fixture(scope="session", name="write_tsv")
def write_tsv_fixture() -> Callable[[Path, list[tuple[str, str]]], Path]:
    return write_tsv
