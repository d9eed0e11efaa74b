"""Options of the translation application."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from runnel.shared.errors import InputError
from runnel.shared.training.options import POSITIVE, SEED, SHARE, Range, at_least, check_ranges, keep_shape

__all__ = ["LONGEST_WORD", "PRESETS", "Advanced", "Config", "StreamOptions"]

LONGEST_WORD = 30  # characters; a longer word of the source is read as several
_LEAST_WINDOW = 4 * LONGEST_WORD + 1  # subwords, the bytes of the longest word
_RANGES = {
    at_least(0): ("weight_decay", "steps_per_epoch", "repeated_ngram", "baseline_epochs"),
    at_least(1): (
        *("units", "depth", "embedding", "batch_tokens", "longest_sentence", "longest_wait", "epochs", "patience"),
        *("beam", "evaluation_sentences", "spoken_sentences"),
    ),
    at_least(_LEAST_WINDOW): ("window",),
    at_least(300): ("vocabulary",),  # the 256 bytes are part of it
    SHARE: ("dropout", "embedding_dropout", "label_smoothing", "averaging", "copied_share"),
    Range(lambda value: 0 < value <= 1, "a number above 0, up to 1"): ("whole_share",),
    Range(lambda value: 0 <= value <= 5, "a number from 0 to 5"): ("length_penalty",),
    Range(lambda value: 1 <= value <= 10, "a number from 1 to 10"): ("longest_ratio",),
    POSITIVE: ("learning_rate",),
    SEED: ("seed",),
}
# What the weights of an export fit: the shape of the network, and what its inputs are.
_SHAPE = ("attention", "encoder", "vocabulary", "cell", "embedding", "units", "depth")


@dataclass(frozen=True)
class Advanced:
    """Rarely changed."""

    embedding: int = 192  # width of a subword's embedding, which is also its weights in the softmax
    units: int = 192  # width of each recurrent layer, and of the attention
    depth: int = 1  # number of recurrent layers of the encoder, and of the decoder, which has two at least
    dropout: float = 0.05  # share of activations dropped between layers and after the last, the same over a sentence
    embedding_dropout: float = 0.0  # the same, after the embedding and before the softmax
    label_smoothing: float = 0.05  # share of the probability that every subword is expected to have a part of
    batch_tokens: int = 1000  # subwords in a batch, padding included, source or target, whichever are more
    longest_sentence: int = 100  # pairs with more subwords on either side are left out of the training
    copied_share: float = 0.02  # of the training pairs, made up ones to be copied: numbers, names, other scripts
    longest_wait: int = 9  # of the waits that are drawn while training to translate before the sentence ends
    whole_share: float = 0.6  # of the batches, those that see the whole sentence when it is trained for both
    epochs: int = 8  # rounds of training, each followed by a validation
    steps_per_epoch: int = 320  # batches in a round; 0 is one pass over the pairs
    learning_rate: float = 6e-3  # peak of the warm-up and cosine decay
    weight_decay: float = 1e-2  # of AdamW
    averaging: float = 0.99  # momentum of the averaged weights; 0 turns averaging off
    patience: int = 8  # rounds without a better validation loss before training stops
    window: int = 128  # subwords of the source that are kept; a longer text is translated in parts
    beam: int = 5  # hypotheses that `serving_default` follows
    length_penalty: float = 0.6  # of those; larger prefers longer translations
    repeated_ngram: int = 6  # no so many subwords come twice in a sentence; 0 lets them
    longest_ratio: float = 2.0  # subwords of a translation for each of the source, at most, and some more
    baseline_epochs: int = 0  # rounds of training of the same network without attention to compare with; 0: none
    evaluation_sentences: int = 1000  # of the test split that are translated
    spoken_sentences: int = 200  # of those, that are also translated word by word, for several waits
    seed: int = 0  # of every random draw


@dataclass(frozen=True)
class Config:
    """Translates sentences, whole or while they are being spoken; any pairs of texts will do, prompt and reply too."""

    data: str = "phrasebook"  # phrasebook, tatoeba_english_french, multi30k_english_french, tfds:NAME, or pairs in TSV
    attention: Literal["additive", "none"] = "additive"  # none: the last state of the encoder is all the decoder gets
    encoder: Literal["unidirectional", "bidirectional"] = "unidirectional"  # the latter waits for the whole sentence
    simultaneous: bool | None = None  # learn to translate before the sentence ends (default: where it is possible)
    vocabulary: int = 3_000  # subwords of both languages together, at most
    cell: Literal["simple_rnn", "gru", "lstm"] = "gru"  # recurrent cell
    init_from: str | None = None  # an export to go on from: its network and vocabulary, on these data
    advanced: Advanced = field(default_factory=Advanced)

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)
        for option, value in (("attention", "none"), ("encoder", "bidirectional")):
            if self.simultaneous and getattr(self, option) == value:
                raise InputError(
                    f"received --simultaneous True with --{option} {value}, which needs the whole sentence; "
                    "expected one or the other; leave one of them out"
                )

    @property
    def without_attention(self) -> "Config | None":
        """The options of the network without attention to compare with; None where there is to be none."""
        rounds = self.advanced.baseline_epochs
        if not rounds or self.attention == "none":
            return None
        advanced = dataclasses.replace(self.advanced, epochs=rounds, patience=rounds, baseline_epochs=0)
        return dataclasses.replace(self, attention="none", simultaneous=None, init_from=None, advanced=advanced)

    @property
    def can_wait_k(self) -> bool:
        """Whether the model translates before a sentence ends."""
        return self.simultaneous is not False and self.attention != "none" and self.encoder == "unidirectional"

    def with_training_of(self, other: "Config") -> "Config":
        """This configuration's network with the data and the training options of another, to go on from an export.

        Raises:
            InputError: the other asks for another shape of network than a preset's or this one's.
        """
        return dataclasses.replace(
            self,
            data=other.data,
            simultaneous=other.simultaneous,
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


@dataclass(frozen=True)
class StreamOptions:
    """How `runnel stream` translates: a line is a sentence."""

    wait_k: int = 0  # words of the source to wait for before the first of the translation; 0 waits for the whole line

    def __post_init__(self) -> None:
        if self.wait_k < 0:
            raise InputError(f"received --wait-k {self.wait_k}; expected 0 (the whole line) or a number of words")


PRESETS = {
    "quick": Config(
        advanced=Advanced(
            embedding=128,
            units=128,
            batch_tokens=700,
            epochs=3,
            steps_per_epoch=210,
            averaging=0.97,
            learning_rate=1.2e-2,
            evaluation_sentences=200,
            spoken_sentences=50,
        )
    ),
    "default": Config(),
    "thorough": Config(
        advanced=Advanced(
            embedding=256,
            units=320,
            depth=2,
            dropout=0.2,
            label_smoothing=0.1,
            batch_tokens=1600,
            learning_rate=3e-3,
            epochs=40,
            patience=40,
            baseline_epochs=10,
        )
    ),
}
