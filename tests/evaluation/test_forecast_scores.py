import json

import numpy as np
import pytest

from runnel.shared.evaluation.baselines import BaselineForecast
from runnel.shared.evaluation.forecast_scores import score_forecasts

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)


def around(point, *offsets):
    point = np.asarray(point, np.float64)
    return BaselineForecast(point, point[..., None] + np.array(offsets))


def scores(truth, model, origin=None, unit=None, **baselines):
    truth = np.asarray(truth, np.float64)
    origin = np.arange(len(truth)) if origin is None else np.asarray(origin)
    unit = np.ones((len(truth), truth.shape[2])) if unit is None else unit
    names = [f"target {index}" for index in range(truth.shape[2])]
    return score_forecasts(truth, origin, unit, {"model": model, **baselines}, LEVELS, names)


def test_errors_by_hand():
    truth = np.array([[[1.0], [2.0]], [[3.0], [np.nan]]])  # N = 2, H = 2, Y = 1
    model = around(np.zeros((2, 2, 1)), -2, -1, 0, 1, 2)
    measured = scores(truth, model, unit=np.full((2, 1), 2.0), other=around(np.ones((2, 2, 1)), -2, -1, 0, 1, 2))
    assert measured["rows"] == 2
    assert measured["share_with_truth"] == 0.75
    assert measured["mean_absolute_error"]["target 0"] == {"model": 2.0, "other": pytest.approx(1.0)}
    assert measured["scaled_error_by_step"]["model"] == [1.0, 1.0]
    # inside -1 .. 1: the first truth; inside -2 .. 2: the first two; rows count alike
    assert measured["coverage"]["80%"]["estimate"] == 0.25
    assert measured["coverage"]["90%"]["estimate"] == 0.5
    json.dumps(measured)


def test_a_truth_counts_only_where_everybody_has_a_forecast():
    truth = np.zeros((3, 1, 1))
    point = np.array([[[np.nan]], [[1.0]], [[1.0]]])
    measured = scores(truth, around(point, -2, -1, 0, 1, 2), other=around(np.full((3, 1, 1), 5.0), -2, -1, 0, 1, 2))
    assert measured["missing_forecasts"] == 1
    assert measured["mean_absolute_error"]["target 0"] == {"model": 1.0, "other": 5.0}


def test_a_better_model_beats_and_a_tie_is_told_once():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(200, 1, 1))
    good, bad = around(truth + 0.1, -1, -0.5, 0, 0.5, 1), around(truth + 2.0, -1, -0.5, 0, 0.5, 1)
    wider = BaselineForecast(bad.point, bad.quantiles * 1.5)
    skill = scores(truth, good, bad=bad, wider=wider)["skill"]
    assert skill["bad"]["quantiles"]["lower"] > 0.5
    assert "beats the baseline «bad»" in skill["bad"]["median"]["verdict"]
    assert "median" not in skill["wider"]  # its point forecast is the same


def test_series_at_one_instant_are_one_draw():
    """A hundred copies of one series say no more than the series alone."""
    generator = np.random.default_rng(1)
    truth = generator.normal(size=(60, 1, 1))
    forecasts = [around(np.full_like(truth, place), -2, -1, 0, 1, 2) for place in (0.0, 0.3)]
    alone = scores(truth, forecasts[0], other=forecasts[1])["skill"]["other"]["median"]

    def copies(one):
        return BaselineForecast(np.tile(one.point, (100, 1, 1)), np.tile(one.quantiles, (100, 1, 1, 1)))

    many = scores(
        np.tile(truth, (100, 1, 1)),
        copies(forecasts[0]),
        origin=np.tile(np.arange(60), 100),
        other=copies(forecasts[1]),
    )["skill"]["other"]["median"]
    assert (many["lower"], many["upper"]) == pytest.approx((alone["lower"], alone["upper"]))
