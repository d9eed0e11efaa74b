"""The sensors of a pump that works as it should: rhythm of day and week, changes of load, noise."""

import numpy as np

__all__ = ["CHANNELS", "ROWS_AN_HOUR", "healthy_pump"]

CHANNELS = ("flow", "pressure", "motor_temperature", "vibration")  # l/s, bar, degrees Celsius, mm/s
ROWS_AN_HOUR = 6

_ROWS_A_DAY = 24 * ROWS_AN_HOUR
_DEMAND = ((5.5, -0.55, 2.5), (7.5, 0.45, 1.5), (19.0, 0.55, 2.0))  # hour of its middle, height, hours of its width
_WEEKEND_HOURS_LATER, _WEEKEND_SHARE = 1.5, 0.85
_LOAD_CHANGES_A_WEEK = 3.0
_LOAD_SPREAD = 0.16  # of the logarithm of the load
_LOAD_ROWS = 4  # that a change of load takes
_WARMTH = 0.08  # share of the way to its final temperature that the motor goes in a row
_NOISE = {"flow": 0.45, "pressure": 0.03, "motor_temperature": 0.25, "vibration": 0.06}
_DIGITS = {"flow": 2, "pressure": 3, "motor_temperature": 2, "vibration": 3}


def healthy_pump(rows: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Returns each channel, float64 [rows], one row every ten minutes from the beginning of a Monday on.

    The demand has a trough at night and peaks in the morning and the evening, later and smaller at weekends. The load
    that the operator sets changes now and then, and stays. Pressure falls as the flow rises; the motor warms up after
    the flow, and with the air around it; the vibration, and how much it varies, grows with the flow.

    Args:
        rows: How many.
        rng: Where the draws come from.
    """
    time = np.arange(rows)
    flow = 40 * _demand(time) * _load(rows, rng) * np.exp(_wander(rows, 0.98, 0.008, rng))
    air = 16 + 5 * np.sin(2 * np.pi * (time / _ROWS_A_DAY - 0.4)) + _wander(rows, 0.999, 0.08, rng)
    clean = {
        "flow": flow,
        "pressure": 6.2 - 6e-4 * flow**2 + _wander(rows, 0.95, 0.01, rng),
        "motor_temperature": _lagged(air + 18 + 0.45 * flow, _WARMTH),
        "vibration": 1.0 + 0.03 * flow,
    }
    spread = {name: np.full(rows, _NOISE[name]) for name in CHANNELS}
    spread["vibration"] *= flow / flow.mean()
    return {name: np.round(clean[name] + spread[name] * rng.standard_normal(rows), _DIGITS[name]) for name in CHANNELS}


def _demand(time: np.ndarray) -> np.ndarray:
    """Share of the mean demand [T]; time in rows."""
    is_weekend = (time // _ROWS_A_DAY) % 7 >= 5
    hour = (time % _ROWS_A_DAY) / ROWS_AN_HOUR - _WEEKEND_HOURS_LATER * is_weekend
    rhythm = np.ones(len(time))
    for middle, height, width in _DEMAND:
        distance = (hour - middle + 12) % 24 - 12
        rhythm += height * np.exp(-0.5 * (distance / width) ** 2)
    return rhythm * np.where(is_weekend, _WEEKEND_SHARE, 1.0)


def _load(rows: int, rng: np.random.Generator) -> np.ndarray:
    """The factor of the load [rows], 1 on average, which changes from time to time within some rows."""
    changes = np.flatnonzero(rng.random(rows) < _LOAD_CHANGES_A_WEEK / (7 * _ROWS_A_DAY))
    levels = np.exp(rng.normal(0, _LOAD_SPREAD, len(changes) + 1))
    steps = levels[np.searchsorted(changes, np.arange(rows), side="right")]
    ramp = np.full(_LOAD_ROWS, 1 / _LOAD_ROWS)
    return np.convolve(np.pad(steps, (_LOAD_ROWS - 1, 0), mode="edge"), ramp, mode="valid")


def _wander(rows: int, memory: float, step: float, rng: np.random.Generator) -> np.ndarray:
    """A random walk [rows] that is drawn back to zero."""
    return _lagged(rng.normal(0, step / (1 - memory), rows), 1 - memory, 0.0)


def _lagged(values: np.ndarray, share: float, first: float | None = None) -> np.ndarray:
    """Follows values [T], going a share of the distance in each row."""
    followed = np.empty(len(values))
    now = values[0] if first is None else first
    for row, value in enumerate(values):
        now += share * (value - now)
        followed[row] = now
    return followed
