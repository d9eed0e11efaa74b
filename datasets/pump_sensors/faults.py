"""Faults of a sensor: what is done to its values, and when."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from runnel.datasets.pump_sensors.healthy_pump import CHANNELS, ROWS_AN_HOUR

__all__ = ["KINDS", "Fault", "break_sensor", "draw_faults"]

_SHORTEST_GAP = 30 * ROWS_AN_HOUR  # rows from one fault to the next


def _spike(values: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    return values + rng.choice([-1, 1]) * rng.uniform(8, 16) * noise


def _drift(values: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    return values + rng.choice([-1, 1]) * rng.uniform(8, 16) * noise * np.linspace(0, 1, len(values))


def _stuck(values: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    return np.full(len(values), values[0])


def _missing(values: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    return np.full(len(values), np.nan)


def _variance(values: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    return values + rng.uniform(3, 6) * noise * rng.standard_normal(len(values))


@dataclass(frozen=True)
class _Kind:
    """What a fault does to the values of its rows, and the fewest and the most rows it takes."""

    apply: Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
    rows: tuple[int, int]


KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "spike": _Kind(_spike, (1, 3)),
        "drift": _Kind(_drift, (10 * ROWS_AN_HOUR, 24 * ROWS_AN_HOUR)),
        "stuck": _Kind(_stuck, (3 * ROWS_AN_HOUR, 12 * ROWS_AN_HOUR)),
        "missing": _Kind(_missing, (2 * ROWS_AN_HOUR, 8 * ROWS_AN_HOUR)),
        "variance": _Kind(_variance, (6 * ROWS_AN_HOUR, 18 * ROWS_AN_HOUR)),
    }
)


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        kind: One of `KINDS`.
        channel: The sensor that has it.
        begin: Its first row.
        end: One past its last row.
    """

    kind: str
    channel: str
    begin: int
    end: int


def draw_faults(rows: int, of_each_kind: int, rng: np.random.Generator) -> Iterator[Fault]:
    """Draws faults in order of time, each in a part of the rows of its own, with quiet between them.

    Args:
        rows: Length of the series.
        of_each_kind: How many of each kind.
        rng: Where the draws come from.

    Raises:
        ValueError: There are too few rows for so many.
    """
    order = rng.permutation(np.repeat(list(KINDS), of_each_kind)).tolist()
    part = rows // max(len(order), 1)
    if order and part < _SHORTEST_GAP + max(kind.rows[1] for kind in KINDS.values()):
        raise ValueError(f"{rows} rows do not hold {len(order)} faults with quiet between them; draw fewer")
    for number, kind in enumerate(order):
        length = int(rng.integers(KINDS[kind].rows[0], KINDS[kind].rows[1] + 1))
        begin = number * part + int(rng.integers(_SHORTEST_GAP, part - length + 1))
        yield Fault(kind, str(rng.choice(CHANNELS)), begin, begin + length)


def break_sensor(values: np.ndarray, fault: Fault, rng: np.random.Generator) -> np.ndarray:
    """Returns the values [T] of a channel with the fault in them; its size goes by the channel's own noise.

    Args:
        values: Of the healthy sensor.
        fault: What happens when.
        rng: Where the draws come from.
    """
    noise = float(np.nanstd(np.diff(values, n=2))) / np.sqrt(
        6
    )  # what is slow cancels out; of noise, six times its power
    broken = values.copy()
    span = slice(fault.begin, fault.end)
    broken[span] = KINDS[fault.kind].apply(values[span], noise, rng)
    return broken
