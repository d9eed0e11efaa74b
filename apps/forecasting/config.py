"""Options of the forecasting application."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from runnel.shared.training.options import POSITIVE, SEED, SHARE, Range, at_least, check_ranges, keep_shape

__all__ = ["PRESETS", "Advanced", "Config", "StreamOptions"]

_RANGES = {
    at_least(0): (
        *("horizon", "folds", "long_state_rows", "evaluation_rows"),
        *("adaptation_rate", "median_weight", "weight_decay", "prior_weight"),
    ),
    at_least(1): ("units", "depth", "batch_size", "epochs", "steps_per_epoch", "patience", "segment"),
    at_least(2): ("context",),
    SHARE: ("dropout", "averaging"),
    Range(lambda value: 0 < value <= 1, "a number above 0 and at most 1"): ("decay",),
    POSITIVE: ("learning_rate", "false_alarms_per_week"),
    SEED: ("seed",),
}
# What the weights of an export fit: the shape of the network, and what its inputs are.
_SHAPE = (
    *("architecture", "cell", "context", "horizon"),
    *("units", "depth", "decay", "prior_weight", "segment", "transform"),
)


@dataclass(frozen=True)
class Advanced:
    """Rarely changed."""

    transform: Literal["auto", "none", "difference", "log_return"] = "auto"  # what is modelled: values or their steps
    units: int = 64  # width of each recurrent layer
    depth: int = 1  # number of recurrent layers
    dropout: float = 0.3  # share of activations dropped between layers and before the output
    batch_size: int = 32  # windows in a training step
    epochs: int = 30  # rounds of training, each followed by a validation
    steps_per_epoch: int = 50  # training steps in a round
    learning_rate: float = 1e-3  # peak of the warm-up and cosine decay
    weight_decay: float = 1e-4  # of AdamW
    median_weight: float = 0.0  # extra weight of the median in the loss, where each quantile level has the weight 1
    averaging: float = 0.99  # momentum of the averaged weights; 0 turns averaging off
    patience: int = 8  # rounds without a better validation loss before training stops
    decay: float = 0.98  # weight of the past in the running mean and scale of the inputs
    prior_weight: float = 8.0  # rows that the training scale counts for at the start of a stream
    adaptation_rate: float = 0.02  # step size of the online interval widths; 0 keeps the model's own intervals
    segment: int = 24  # rows in a segment, for --architecture segment
    folds: int = 0  # rolling-origin backtest: number of times the model is trained anew on more and more of the past
    long_state_rows: int = 100_000  # age of the old state that the report compares with a fresh one
    evaluation_rows: int = 5_000  # newest test rows of each series that are evaluated, by streaming them one by one
    seed: int = 0  # of every random draw
    decimal: str | None = None  # decimal mark of a CSV file (if left out: found out)
    delimiter: str | None = None  # what separates the values of a CSV file (if left out: found out)


@dataclass(frozen=True)
class Config:
    """Forecasts one or several columns of a series, with intervals, from rows as they arrive."""

    data: str = "sp500_daily"  # sp500_daily, seattle_weather_daily, pump_sensors, tfds:NAME, or a CSV or Parquet file
    target: tuple[str, ...] = ()  # columns to forecast (if left out: the data set's own, or the only numeric one)
    features: tuple[str, ...] = ()  # further columns to learn from (if left out: all numeric ones)
    time_column: str | None = None  # column of timestamps (if left out: found out)
    series_id: str | None = None  # column that tells several series in one file apart
    label: str | None = None  # column that says which rows are faulty, 0 or 1 or the fault's name: only scored by
    false_alarms_per_week: float = 0.25  # of a series without a fault, that the threshold of the alarms is chosen for
    context: int = 60  # rows the model has seen when training starts to count
    horizon: int = 0  # steps ahead to forecast; 0 is 1 for prices and 7 otherwise
    architecture: Literal["recurrent", "segment"] = "recurrent"  # a cell step a row, or SegRNN over a lookback window
    cell: Literal["simple_rnn", "gru", "lstm"] = "gru"  # recurrent cell
    init_from: str | None = None  # an export to go on from: its network and preprocessing, on these data
    advanced: Advanced = field(default_factory=Advanced)

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)

    def with_training_of(self, other: "Config") -> "Config":
        """This configuration's network with the data and the training options of another, to go on from an export.

        Columns that the other does not name are this one's.

        Raises:
            InputError: the other asks for another shape of network than a preset's or this one's.
        """
        return dataclasses.replace(
            self,
            data=other.data,
            target=other.target or self.target,
            features=other.features or self.features,
            time_column=other.time_column,
            series_id=other.series_id,
            label=other.label,
            false_alarms_per_week=other.false_alarms_per_week,
            init_from=other.init_from,
            advanced=keep_shape(self, other, PRESETS.values(), _SHAPE),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Config":
        """The inverse of `to_dict`, of its JSON form too."""
        lists = {name: tuple(data[name]) for name in ("target", "features")}
        return cls(**{**data, **lists, "advanced": Advanced(**data["advanced"])})


@dataclass(frozen=True)
class StreamOptions:
    """What `runnel stream` answers to the rows on standard input."""

    alarms_only: bool = False  # say the rows that raise an alarm, and no others


PRESETS = {
    "quick": Config(
        advanced=Advanced(units=32, learning_rate=3e-3, epochs=6, steps_per_epoch=40, long_state_rows=5_000)
    ),
    "default": Config(),
    "thorough": Config(advanced=Advanced(units=96, epochs=60, steps_per_epoch=100, patience=15, folds=3)),
}
