import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

OPTIONS = (
    *("--units", "12", "--embedding", "8", "--depth", "1", "--epochs", "2", "--steps-per-epoch", "6"),
    *("--batch-size", "4", "--window", "16", "--cache-tokens", "64", "--evaluation-characters", "400"),
    *("--long-state-characters", "300", "--learning-rate", "0.03", "--averaging", "0.5"),
)
HEROES = ("Ada", "Émile", "Fritz", "Grete", "Hedwig", "Igor", "Jorinde", "Klaus", "Lise", "Max", "Nora", "Otto")
GRAMMAR = (
    ("The", "A", "My", "One"),
    ("quick", "lazy", "little", "naïve", "well-known", "brown", "old"),
    ("fox", "dog", "cat", "man", "river", "driver", "miller", "garçon"),
    ("sees", "bites", "likes", "doesn't see", "finds", "remembers"),
    ("the", "a", "this", "that"),
    ("record", "recording", "river", "red house", "garden", "café", "dog", "man"),
    ("in the morning", "at 7:30", "again and again", "by the sea", "(so they say)", "with me"),
    (".", ".", ".", "!", "?", " 🙂."),
)


@dataclass(frozen=True)
class Trained:
    """A language model that was trained for a few steps on a short text."""

    run: Path
    export: Path
    text: Path
    level: str
    said: str

    @property
    def command(self) -> list[str]:
        """What trained it."""
        options = [*OPTIONS, "--data", str(self.text), "--level", self.level, "--out", str(self.run)]
        return ["train", "autocomplete", *options]

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.export / "manifest.json").read_text())


def sentences(count: int, seed: int) -> str:
    """Paragraphs of four sentences each, in which one name comes again and again."""
    random = np.random.default_rng(seed)
    heroes = [HEROES[place] for place in random.integers(len(HEROES), size=count // 4 + 1)]
    written = []
    for number in range(count):
        hero = heroes[number // 4]
        *words, mark = (str(random.choice(part)) for part in GRAMMAR)
        written.append(f"{hero} and {hero}: {' '.join(words)}{mark}{(' ', chr(10), ' ', chr(10) * 2)[number % 4]}")
    return "".join(written)


def _train(level: str, tmp_path_factory: pytest.TempPathFactory, train_in_process: Callable[..., str]) -> Trained:
    folder = tmp_path_factory.mktemp(f"autocomplete-{level}")
    text = folder / "story.txt"
    text.write_text(sentences(240, seed=0), encoding="utf-8")
    trained = Trained(folder / "run", folder / "run" / "export", text, level, "")
    said = train_in_process(*trained.command[1:])
    return Trained(trained.run, trained.export, text, level, said)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, train_in_process: Callable[..., str]) -> Trained:
    """A model of words."""
    return _train("word", tmp_path_factory, train_in_process)


@pytest.fixture(scope="session")
def trained_on_characters(tmp_path_factory: pytest.TempPathFactory, train_in_process: Callable[..., str]) -> Trained:
    """A model of characters."""
    return _train("char", tmp_path_factory, train_in_process)


@pytest.fixture(scope="session")
def words(trained: Trained) -> Any:
    """The export of a model of words, as TensorFlow alone loads it."""
    import tensorflow as tf

    return tf.saved_model.load(str(trained.export / "saved_model"))


@pytest.fixture(scope="session")
def characters(trained_on_characters: Trained) -> Any:
    """The export of a model of characters, as TensorFlow alone loads it."""
    import tensorflow as tf

    return tf.saved_model.load(str(trained_on_characters.export / "saved_model"))


@pytest.fixture(scope="session", name="sentences")
def sentences_fixture() -> Callable[[int, int], str]:
    return sentences
