"""Options of the autocomplete application."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from runnel.shared.training.options import POSITIVE, SEED, SHARE, at_least, check_ranges, keep_shape

__all__ = ["PRESETS", "Advanced", "Config"]

_RANGES = {
    at_least(0): ("weight_decay", "steps_per_epoch"),
    at_least(1): (
        *("units", "depth", "embedding", "batch_size", "window", "epochs", "patience"),
        *("minimum_count", "cache_tokens", "evaluation_characters", "long_state_characters"),
    ),
    at_least(3): ("suggestions",),  # the evaluation counts three
    at_least(16): ("vocabulary",),
    SHARE: ("dropout", "embedding_dropout", "averaging"),
    POSITIVE: ("learning_rate",),
    SEED: ("seed",),
}
# What the weights of an export fit: the shape of the network, and what its inputs are.
_SHAPE = ("level", "vocabulary", "cell", "embedding", "units", "depth", "minimum_count")


@dataclass(frozen=True)
class Advanced:
    """Rarely changed."""

    embedding: int = 192  # width of a token's embedding, which is also its weights in the softmax
    units: int = 384  # width of each recurrent layer
    depth: int = 2  # number of recurrent layers
    dropout: float = 0.5  # share of activations dropped between layers and after the last, the same over a window
    embedding_dropout: float = 0.3  # the same, after the embedding and before the softmax
    batch_size: int = 32  # stretches of the text that are read side by side
    window: int = 64  # tokens in a training step; the state is carried over to the next one
    epochs: int = 40  # rounds of training, each followed by a validation
    steps_per_epoch: int = 50  # training steps in a round; 0 is one pass over the text
    learning_rate: float = 3e-3  # peak of the warm-up and cosine decay
    weight_decay: float = 1e-2  # of AdamW
    averaging: float = 0.99  # momentum of the averaged weights; 0 turns averaging off
    patience: int = 5  # rounds without a better validation loss before training stops
    minimum_count: int = 2  # a token that is rarer in the training text is unknown
    suggestions: int = 5  # how many to give
    cache_tokens: int = 512  # how many of the latest words and marks the user's cache remembers
    evaluation_characters: int = 40_000  # test text that is typed into the model, key by key
    long_state_characters: int = 100_000  # age of the old state that the report compares with a fresh one
    seed: int = 0  # of every random draw


@dataclass(frozen=True)
class Config:
    """Completes the word being typed and suggests the next one, from keys as they arrive."""

    data: str = "python_reference"  # python_reference, tiny_shakespeare_plays, tfds:NAME, or a text file or folder
    level: Literal["word", "char"] = "word"  # what the network reads and predicts: words, or characters
    vocabulary: int = 10_000  # the most frequent tokens are known, at most so many
    cell: Literal["simple_rnn", "gru", "lstm"] = "lstm"  # recurrent cell
    cache: bool = True  # word level: words the user has typed lately become more probable, without training
    init_from: str | None = None  # an export to go on from: its network and vocabulary, on these data
    advanced: Advanced = field(default_factory=Advanced)

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)

    def with_training_of(self, other: "Config") -> "Config":
        """This configuration's network with the data and the training options of another, to go on from an export.

        Raises:
            InputError: the other asks for another shape of network than a preset's or this one's.
        """
        return dataclasses.replace(
            self,
            data=other.data,
            cache=other.cache,
            init_from=other.init_from,
            advanced=keep_shape(self, other, PRESETS.values(), _SHAPE),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Config":
        """The inverse of `to_dict`, of its JSON form too."""
        return cls(**{**data, "advanced": Advanced(**data["advanced"])})


PRESETS = {
    "quick": Config(
        advanced=Advanced(
            embedding=96,
            units=160,
            depth=1,
            dropout=0.3,
            embedding_dropout=0.2,
            window=32,
            learning_rate=8e-3,
            epochs=14,
            steps_per_epoch=100,
            evaluation_characters=8_000,
            long_state_characters=20_000,
        )
    ),
    "default": Config(),
    "thorough": Config(advanced=Advanced(units=512, embedding=256, epochs=60, steps_per_epoch=100, patience=10)),
}
