"""How well alarms on a series find the faults in it: by event, never by adjusted points.

A fault is a stretch of rows; an alarm is a stretch too, of alarmed rows with at most `GAP` rows between them, so that
one fault that goes on raises one alarm. An alarm is right if one of its rows lies in a fault or within `GRACE` rows
after it: the way back to normal belongs to a fault. A fault is found if such a row is there. (Counting a whole fault as
found row by row as soon as one of its rows is, «point adjustment», makes random scores look excellent: Kim et al. 2022,
arXiv 2109.05257.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runnel.shared.evaluation.detection_scores import poisson_rate
from runnel.shared.evaluation.quantile_metrics import wilson_interval

__all__ = ["GAP", "GRACE", "Stretch", "WatchedSeries", "alarm_stretches", "fault_stretches", "score_alarms"]

GAP = 6  # rows
GRACE = 6  # rows


@dataclass(frozen=True)
class Stretch:
    """Consecutive rows.

    Attributes:
        begin: the first.
        end: one past the last.
        kind: of fault; "" for an alarm.
    """

    begin: int
    end: int
    kind: str = ""


@dataclass(frozen=True, eq=False)
class WatchedSeries:
    """A series that was watched.

    Attributes:
        timestamps: int64 [T], Unix seconds.
        alarms: bool [T].
        faults: str [T], "" where all is well; None where nobody says.
    """

    timestamps: NDArray[np.int64]
    alarms: NDArray[np.bool_]
    faults: NDArray[np.str_] | None = None


def alarm_stretches(alarms: NDArray[np.bool_]) -> list[Stretch]:
    """The alarms among rows: bool [T]."""
    rows = np.flatnonzero(alarms)
    if not len(rows):
        return []
    parts = np.split(rows, np.flatnonzero(np.diff(rows) > GAP + 1) + 1)
    return [Stretch(int(part[0]), int(part[-1]) + 1) for part in parts]


def fault_stretches(faults: NDArray[np.str_]) -> list[Stretch]:
    """The faults among rows: str [T], one for each stretch of one kind."""
    changes = np.flatnonzero(faults[1:] != faults[:-1]) + 1
    begins, ends = [0, *changes.tolist()], [*changes.tolist(), len(faults)]
    kinds = [str(faults[begin]) if begin < end else "" for begin, end in zip(begins, ends, strict=True)]
    return [Stretch(*stretch) for stretch in zip(begins, ends, kinds, strict=True) if stretch[-1]]


def score_alarms(watched: Sequence[WatchedSeries], weeks: float) -> dict[str, Any]:
    """Counts alarms, and where the faults are known, which of them are found.

    Args:
        watched: the series.
        weeks: in how many weeks, all series together; above 0.

    Returns:
        Plain data. `alarms`, `weeks` and `alarms_per_week`; where faults are known also `faults`, `recall` (share of
        faults found) and `precision` (share of alarms that are right), `false_alarms_per_week`, `delay_minutes`
        (`median` and `p90` from the beginning of a found fault to its first alarmed row), and `by_kind` ({kind:
        {`faults`, `found`}}). Shares come with Wilson's interval, rates with the exact Poisson one.
    """
    alarms = [alarm_stretches(one.alarms) for one in watched]
    count = sum(map(len, alarms))
    scores = {"weeks": weeks, "alarms": count, "alarms_per_week": poisson_rate(count, weeks).to_dict()}
    if all(one.faults is None for one in watched):
        return scores
    right = 0
    delays: list[float] = []
    by_kind: dict[str, dict[str, int]] = {}
    for one, stretches in zip(watched, alarms, strict=True):
        faults = [] if one.faults is None else fault_stretches(one.faults)
        near = _near(faults, len(one.alarms))
        right += sum(bool(np.any(near[stretch.begin : stretch.end])) for stretch in stretches)
        for fault in faults:
            found = np.flatnonzero(one.alarms[fault.begin : fault.end + GRACE])
            of_kind = by_kind.setdefault(fault.kind, {"faults": 0, "found": 0})
            of_kind["faults"] += 1
            of_kind["found"] += int(len(found) > 0)
            if len(found):
                delays.append((one.timestamps[fault.begin + found[0]] - one.timestamps[fault.begin]) / 60)
    total = sum(kind["faults"] for kind in by_kind.values())
    return scores | {
        "faults": total,
        "recall": wilson_interval(len(delays), total).to_dict(),
        "precision": wilson_interval(right, count).to_dict(),
        "false_alarms_per_week": poisson_rate(count - right, weeks).to_dict(),
        "delay_minutes": {name: _percentile(delays, percent) for name, percent in (("median", 50), ("p90", 90))},
        "by_kind": dict(sorted(by_kind.items())),
    }


def _near(faults: Sequence[Stretch], rows: int) -> NDArray[np.bool_]:
    """Which rows lie in a fault or shortly after it, bool [T]."""
    near = np.zeros(rows, np.bool_)
    for fault in faults:
        near[fault.begin : fault.end + GRACE] = True
    return near


def _percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else np.nan
