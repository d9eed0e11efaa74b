"""The regular grid of instants behind a series: what «one step later» means."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import tensorflow as tf

__all__ = ["SECONDS_PER_DAY", "TimeGrid", "fit_time_grid"]

SECONDS_PER_DAY = 86_400
_SHORTEST_MONTH, _LONGEST_MONTH = 28 * SECONDS_PER_DAY, 31 * SECONDS_PER_DAY


@dataclass(frozen=True)
class TimeGrid:
    """Numbers the steps of a series, so that gaps are seen and future timestamps can be told.

    Its methods are TensorFlow functions of int64 Unix seconds (UTC), the same in training and inside an export.

    Attributes:
        unit: `second` (every `step` seconds), `business_day` (Monday to Friday) or `month` (every `step` months).
        step: seconds or months from one step to the next; 1 for business days.
        phase: offset of the grid in seconds (unit `second`).
        day_of_month: 1 to 31, the day that a future month's timestamp falls on, at most the month's last.
    """

    unit: Literal["second", "business_day", "month"]
    step: int
    phase: int = 0
    day_of_month: int = 1

    @property
    def seconds(self) -> int:
        """Approximate seconds from one step to the next."""
        per_unit = {"second": 1, "business_day": SECONDS_PER_DAY, "month": 2_629_746}
        return self.step * per_unit[self.unit]

    def rows_in(self, period: int) -> int:
        """How many steps a period of so many seconds holds, rounded."""
        per_step = SECONDS_PER_DAY * 7 / 5 if self.unit == "business_day" else self.seconds
        return round(period / per_step)

    def index(self, timestamps: Any) -> tf.Tensor:
        """The number of the step that each timestamp belongs to, int64 of the same shape.

        That is the nearest (unit `second`), the day, weekends counted to Friday, or the month.
        """
        timestamps = tf.convert_to_tensor(timestamps, tf.int64)
        if self.unit == "second":
            return (timestamps - self.phase + self.step // 2) // self.step
        days = timestamps // SECONDS_PER_DAY
        if self.unit == "business_day":
            monday_based = days + 3  # 1970-01-01 was a Thursday
            return 5 * (monday_based // 7) + tf.minimum(monday_based % 7, 4)
        return _month_of(days) // self.step

    def shift(self, timestamps: Any, steps: Any) -> tf.Tensor:
        """The timestamps that lie `steps` steps after `timestamps` (broadcast together), int64."""
        timestamps, steps = tf.convert_to_tensor(timestamps, tf.int64), tf.convert_to_tensor(steps, tf.int64)
        if self.unit == "second":
            return timestamps + steps * self.step
        time_of_day = timestamps % SECONDS_PER_DAY
        if self.unit == "business_day":
            index = self.index(timestamps) + steps
            days = 7 * (index // 5) + index % 5 - 3
        else:
            month = _month_of(timestamps // SECONDS_PER_DAY) + steps * self.step
            days = tf.minimum(_first_day_of(month) + self.day_of_month, _first_day_of(month + 1)) - 1
        return days * SECONDS_PER_DAY + time_of_day


def fit_time_grid(timestamps: list[np.ndarray]) -> TimeGrid:
    """Finds the grid of some series, each int64 [T] in rising order, from the median distance between rows.

    Raises:
        ValueError: no series has two rows.
    """
    distances = np.concatenate([np.diff(series) for series in timestamps])
    if not distances.size:
        raise ValueError("Received series of one row each; expected at least two rows to tell the distance in time.")
    step = int(np.quantile(distances, 0.5, method="lower"))
    every = np.concatenate(timestamps)
    months = round(step / 2_629_746)
    if months and months * _SHORTEST_MONTH <= step <= months * _LONGEST_MONTH:
        day = _common_day_of_month(every)
        if day is not None:
            return TimeGrid("month", months, day_of_month=day)
    weekdays = (every // SECONDS_PER_DAY + 3) % 7
    if step == SECONDS_PER_DAY and weekdays.max() <= 4 and np.ptp(every) >= 7 * SECONDS_PER_DAY:
        return TimeGrid("business_day", 1)
    # Seen from the first row, so that rows a little before and a little after a round time do not seem far apart.
    offsets = (every - every[0] + step // 2) % step - step // 2
    return TimeGrid("second", step, phase=int(every[0] + np.median(offsets)) % step)


def _common_day_of_month(timestamps: np.ndarray) -> int | None:
    """The day on which all the months' timestamps fall, or the last where a month has no such day; else None.

    The first and the last trading day of a month, within three days of its first and last, count as those.
    """
    days = (timestamps // SECONDS_PER_DAY).astype("datetime64[D]")
    of_month = (days - days.astype("datetime64[M]")).astype(int) + 1
    is_last = (days + 1).astype("datetime64[M]") != days.astype("datetime64[M]")
    day = 31 if is_last.all() else int(of_month.max())
    if np.all(is_last | (of_month == day)):
        return day
    if np.all((days + 4).astype("datetime64[M]") != days.astype("datetime64[M]")):
        return 31
    return 1 if np.all(of_month <= 4) else None


def _month_of(days: tf.Tensor) -> tf.Tensor:
    """Months since March of year 0 of the proleptic Gregorian calendar, for days since 1970-01-01.

    A year that begins in March ends with the leap day, which makes the lengths of its months a linear formula.
    """
    days = days + 719_468  # days from 0000-03-01 to 1970-01-01
    era, day_of_era = days // 146_097, days % 146_097
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    return 12 * (400 * era + year_of_era) + (5 * day_of_year + 2) // 153


def _first_day_of(month: tf.Tensor) -> tf.Tensor:
    """Days since 1970-01-01 of the first day of a month numbered as in `_month_of`."""
    year, month_of_year = month // 12, month % 12
    leap_days = year // 4 - year // 100 + year // 400
    return 365 * year + leap_days + (153 * month_of_year + 2) // 5 - 719_468
