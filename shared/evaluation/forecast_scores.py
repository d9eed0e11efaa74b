"""Everything a report says of forecasts: errors, quantile losses, coverage, and who beats whom."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runnel.shared.evaluation.baselines import BaselineForecast
from runnel.shared.evaluation.bootstrap import default_block_length, moving_block_bootstrap, paired_skill
from runnel.shared.evaluation.quantile_metrics import (
    absolute_errors,
    mean_counted,
    pinball_losses,
    quantile_coverage,
)

__all__ = ["score_forecasts"]

_WIDTHS = (0.8, 0.9)


def score_forecasts(
    truth: np.ndarray,
    origin: np.ndarray,
    unit: np.ndarray,
    predictions: Mapping[str, BaselineForecast],
    levels: Sequence[float],
    names: Sequence[str],
) -> dict[str, Any]:
    """Scores the forecasts of a model beside those of baselines, over the rows of one or more series.

    A truth counts only where everybody has a forecast. Errors are averaged over series at each instant before an
    interval is drawn around their mean: what several series do at one instant goes together.

    Args:
        truth: [N, H, Y], NaN where unknown.
        origin: int64 [N], the instant after which each row was forecast.
        unit: [N, Y], what errors are divided by so that targets and series compare.
        predictions: the forecasts [N, H, Y] and [N, H, Y, Q] of `model`, first, and of the baselines.
        levels: Q quantile levels, the median in the middle.
        names: Y names of the targets.

    Returns:
        plain data: `rows`, `first` and `last` instant, `share_with_truth`, `missing_forecasts`, `mean_absolute_error`
        by target, `scaled_error_by_step`, `scaled_pinball`, `skill` against each baseline, `coverage` of two intervals
        and `quantile_coverage`.
    """
    truth, missing = _comparable(truth, predictions)
    unit = unit[:, None]  # [N, 1, Y]
    quantiles = predictions["model"].quantiles
    pinball = {name: pinball_losses(truth, one.quantiles, levels) / unit for name, one in predictions.items()}
    errors = {name: absolute_errors(truth, one.point) for name, one in predictions.items()}
    return {
        "rows": len(truth),
        "first": int(origin.min()),
        "last": int(origin.max()),
        "share_with_truth": float(np.mean(~np.isnan(truth))),
        "missing_forecasts": missing,
        "mean_absolute_error": {
            target: {name: float(mean_counted(error[..., index])) for name, error in errors.items()}
            for index, target in enumerate(names)
        },
        "scaled_error_by_step": {
            name: mean_counted(error / unit, axis=(0, 2)).tolist() for name, error in errors.items()
        },
        "scaled_pinball": {name: float(mean_counted(losses)) for name, losses in pinball.items()},
        "skill": _skills(pinball, {name: error / unit for name, error in errors.items()}, origin),
        "coverage": {f"{width:.0%}": _coverage(truth, quantiles, levels, origin, width) for width in _WIDTHS},
        "quantile_coverage": quantile_coverage(truth, quantiles, levels).tolist(),
    }


def _comparable(truth: np.ndarray, predictions: Mapping[str, BaselineForecast]) -> tuple[np.ndarray, int]:
    """The truth with NaN where one of the forecasts is missing, and how many truths that cost."""
    forecast = np.all([np.isfinite(one.quantiles).all(axis=-1) for one in predictions.values()], axis=0)
    missing = int(np.sum(~forecast & ~np.isnan(truth)))
    return np.where(forecast, truth, np.nan), missing


def _skills(
    pinball: Mapping[str, np.ndarray], errors: Mapping[str, np.ndarray], origin: np.ndarray
) -> dict[str, dict[str, Any]]:
    """The model against each baseline: by all quantiles, and by the forecast alone where that is not told already."""
    skills: dict[str, dict[str, Any]] = {}
    for name in list(pinball)[1:]:
        skill = {"quantiles": _compare(pinball["model"], pinball[name], origin, name, "all quantiles")}
        if not any(np.array_equal(errors[name], errors[other], equal_nan=True) for other in skills):
            skill["median"] = _compare(errors["model"], errors[name], origin, name, "the forecast alone")
        skills[name] = skill
    return skills


def _compare(model: np.ndarray, baseline: np.ndarray, origin: np.ndarray, name: str, subject: str) -> dict[str, Any]:
    """Skill of the model's losses [N, H, Y] against a baseline's, and a sentence that says what it means."""
    block = default_block_length(len(np.unique(origin)), model.shape[1])
    skill = paired_skill(_by_instant(model, origin), _by_instant(baseline, origin), block)
    return {
        "estimate": skill.skill,
        "lower": skill.interval.lower,
        "upper": skill.interval.upper,
        "verdict": f"On {subject}: " + skill.verdict(f"the baseline «{name}»", model="the model"),
    }


def _coverage(
    truth: np.ndarray, quantiles: np.ndarray, levels: Sequence[float], origin: np.ndarray, width: float
) -> dict[str, float]:
    """Share of truths inside the central interval of this width, with its sampling interval."""
    lower, upper = (int(np.argmin(np.abs(np.subtract(levels, level)))) for level in ((1 - width) / 2, (1 + width) / 2))
    inside = np.where(np.isnan(truth), np.nan, (quantiles[..., lower] <= truth) & (truth <= quantiles[..., upper]))
    block = default_block_length(len(np.unique(origin)), truth.shape[1])
    return moving_block_bootstrap(_by_instant(inside, origin), block).to_dict()


def _by_instant(values: np.ndarray, origin: np.ndarray) -> NDArray[np.float64]:
    """[N, H, Y] to one mean for each instant, in order of time."""
    rows = mean_counted(values, axis=(1, 2))
    instants, number = np.unique(origin, return_inverse=True)
    known = ~np.isnan(rows)
    total = np.bincount(number[known], rows[known], len(instants))
    count = np.bincount(number[known], minlength=len(instants))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
