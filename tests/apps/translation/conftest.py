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
    *("--epochs", "3", "--steps-per-epoch", "110", "--learning-rate", "0.01", "--averaging", "0.9"),
)
SLOTS = (
    {"one": "un", "two": "deux", "my": "mon", "no": "pas de"},
    {"cat": "chat", "dog": "chien", "boy": "garçon", "sun": "soleil"},
    {"red": "rouge", "old": "âgé", "sad": "triste", "here": "ici"},
    {"eats": "mange", "hears": "entend", "is": "n'est", "": ""},
    {".": ".", "!": "\u202f!"},
)
COMBINATIONS = ("attention", "bidirectional", "no attention", "bidirectional without attention")


@dataclass(frozen=True)
class Trained:
    """A model that has learnt a language of sixteen words."""

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


@pytest.fixture(scope="session", name="sentences")
def sentences_fixture() -> Callable[[int, int], list[tuple[str, str]]]:
    return sentences


@pytest.fixture(scope="session", name="write_tsv")
def write_tsv_fixture() -> Callable[[Path, list[tuple[str, str]]], Path]:
    return write_tsv
