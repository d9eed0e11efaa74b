"""Options of the speech commands application."""

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from runnel.datasets.audio.resample import SAMPLE_RATE
from runnel.shared.errors import InputError
from runnel.shared.training.options import POSITIVE, SEED, SHARE, Range, at_least, check_ranges, keep_shape

__all__ = ["PRESETS", "Advanced", "Config", "StreamOptions"]

_RATES = (4_000, 384_000)  # samples a second that can be resampled
_RANGES = {
    at_least(0): (
        *("weight_decay", "known_after", "hold_seconds", "masks", "mask_frames", "mask_bands"),
        *("word_weight", "confusion_weight", "baseline_epochs"),
    ),
    at_least(1): (
        *("units", "depth", "filters", "batch_size", "slots", "epochs", "patience", "smoothing_frames"),
        "refractory_frames",
    ),
    at_least(8): ("bands",),
    SHARE: ("dropout", "averaging", "fresh_share", "babble_share", "speed_spread"),
    Range(lambda value: 0 <= value <= 1, "a number from 0 to 1"): ("noise_share",),
    Range(math.isfinite, "a number of dB"): ("least_snr", "most_snr"),
    POSITIVE: ("learning_rate", "slot_seconds", "false_alarms_per_hour", "validation_hours", "evaluation_hours"),
    SEED: ("seed",),
}
_SHAPE = ("cell", "units", "depth", "filters", "bands")


@dataclass(frozen=True)
class Advanced:
    """Rarely changed."""

    bands: int = 40  # mel bands of a frame of 20 ms
    filters: int = 16  # of the first of the convolutions before the recurrent layers; the others have twice as many
    units: int = 144  # width of each recurrent layer
    depth: int = 2  # number of recurrent layers
    dropout: float = 0.0  # share of activations dropped before, between and after them, the same over a window
    batch_size: int = 16  # streams that are heard side by side
    slots: int = 2  # words in a training step of a stream, at the most; the state is carried over to the next one
    slot_seconds: float = 1.1  # length of a training step for each of them, with the pauses around it
    fresh_share: float = 0.5  # share of the training steps of a stream that begin with a fresh state
    known_after: float = 0.75  # share of a word after which it may be asked what it is
    hold_seconds: float = 0.4  # for how long after its end a word is still to be recognised
    speed_spread: float = 0.12  # words are played up to so much faster or slower
    word_weight: float = 0.5  # of the loss of whole words beside that of single frames
    confusion_weight: float = 3.0  # how many times more a frame of other words counts, as far as a command is heard
    noise_share: float = 0.85  # of the training windows that have noise of their own
    babble_share: float = 0.25  # of these windows: people who say other words over each other
    least_snr: float = 2.0  # dB of the words over the noise, drawn evenly from here
    most_snr: float = 34.0  # to here
    masks: int = 1  # stretches of frames, and of bands, that are hidden in a training step (SpecAugment)
    mask_frames: int = 10  # longest hidden stretch of frames
    mask_bands: int = 8  # longest hidden stretch of bands
    epochs: int = 20  # rounds of training over all clips, each followed by a validation
    optimizer: Literal["adamw", "muon"] = "muon"  # of the recurrent layers' matrices; adamw moves all others
    learning_rate: float = 4e-3  # peak of the warm-up and cosine decay
    weight_decay: float = 1e-2  # decoupled
    averaging: float = 0.99  # momentum of the averaged weights; 0 turns averaging off
    jit_compile: bool = True  # whether XLA compiles the mixing of audio and the loops over time, for the training
    patience: int = 7  # rounds without a better validation loss before training stops
    smoothing_frames: int = 18  # an event is decided on the mean posterior of so many frames
    refractory_frames: int = 25  # frames after an event without another one
    validation_hours: float = 6.0  # continuous audio on which the thresholds are chosen
    evaluation_hours: float = 3.0  # continuous audio of the test split on which events are counted
    baseline_epochs: int = 1  # rounds of training of the convolutional network to compare with; 0 leaves it out
    seed: int = 0  # of every random draw


@dataclass(frozen=True)
class Config:
    """Recognises spoken commands in audio as it is heard, from samples as they arrive."""

    data: str = "spoken_commands"  # spoken_commands, tfds:NAME, or a folder of LABEL/*.wav|flac
    commands: tuple[str, ...] = ()  # the labels to recognise; other words become _unknown_ (default: all)
    cell: Literal["simple_rnn", "gru", "lstm"] = "gru"  # recurrent cell
    false_alarms_per_hour: float = 1.0  # thresholds are chosen on validation so that about so many come on other audio
    init_from: str | None = None  # an export to go on from: its network and labels, on these data
    advanced: Advanced = field(default_factory=Advanced)

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)

    def with_training_of(self, other: "Config") -> "Config":
        """This configuration's network with the data and the training options of another, to go on from an export.

        Raises:
            InputError: the other asks for another shape of network than a preset's or this one's.
        """
        advanced = keep_shape(self, other, PRESETS.values(), _SHAPE)
        return dataclasses.replace(
            self,
            data=other.data,
            false_alarms_per_hour=other.false_alarms_per_hour,
            init_from=other.init_from,
            advanced=advanced,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Config":
        """The inverse of `to_dict`, of its JSON form too."""
        return cls(**{**data, "commands": tuple(data["commands"]), "advanced": Advanced(**data["advanced"])})


@dataclass(frozen=True)
class StreamOptions:
    """Where the audio of `runnel stream` comes from: raw mono samples on standard input, unless a file is named."""

    wav: Path | None = None  # an audio file to hear instead of standard input, as fast as possible
    real_time: bool = False  # hear that file at the pace of the clock
    rate: int = SAMPLE_RATE  # samples a second of what comes on standard input
    sample_format: Literal["int16", "float32"] = "int16"  # of what comes on standard input, little endian

    def __post_init__(self) -> None:
        low, high = _RATES
        if not low <= self.rate <= high:
            raise InputError(f"received --rate {self.rate}; expected {low} to {high} samples a second")
        if self.wav is None and self.real_time:
            raise InputError("received --real-time without --wav; expected both: standard input has its own pace")
        if self.wav is not None and (self.rate, self.sample_format) != (SAMPLE_RATE, "int16"):
            raise InputError(
                "received --rate or --sample-format with --wav; expected them for standard input alone: an audio file "
                "says what it holds"
            )


PRESETS = {
    "quick": Config(
        false_alarms_per_hour=12.0,  # an hour of audio cannot tell fewer from none
        advanced=Advanced(
            units=96,
            depth=1,
            filters=8,
            confusion_weight=0.0,  # of use once most words are told apart
            epochs=2,
            averaging=0.98,
            validation_hours=1.0,
            evaluation_hours=0.5,
            baseline_epochs=0,
        ),
    ),
    "default": Config(),
    "thorough": Config(
        advanced=Advanced(
            filters=32,
            units=160,
            dropout=0.1,
            learning_rate=3e-3,
            epochs=50,
            patience=50,
            evaluation_hours=10.0,
            baseline_epochs=20,
        )
    ),
}
