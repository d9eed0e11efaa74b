import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf
from contracts.adapters import StepStream

from runnel.shared.layers.anomaly_score import AnomalyScore, AnomalySpec, score_of_chance

ROWS = 3_000
WARM = 2_000


@functools.cache
def scorer(targets, longest_repeat=0.0):
    """A score and its graph over time, built once."""
    untold = AnomalySpec.untold(targets)
    usual = (0.8,) * len(untold.usual_error)
    spec = dataclasses.replace(untold, usual_error=usual, longest_repeat=(longest_repeat,) * targets)
    score = AnomalyScore(targets, spec)
    return score, tf.function(StepStream(score).run, reduce_retracing=True)


def run(values, errors, **options):
    """Scores [T] of one session with forecasts of width 1.6."""
    errors = np.asarray(errors, np.float32).reshape(len(errors), -1)
    values = np.asarray(values, np.float32).reshape(errors.shape)
    score, function = scorer(errors.shape[1], **options)
    inputs = {"values": values, "errors": errors, "widths": np.full_like(errors, 1.6)}
    tensors = {name: tf.constant(value[None]) for name, value in inputs.items()}
    outputs, _ = function(tensors, tf.ones([1, len(errors)], tf.bool), score.initial_state(1))
    return outputs["output_0"].numpy()[0]


def normal(targets=1, seed=0):
    """Values that never repeat and normal errors, float [T, Y] both."""
    errors = np.random.default_rng(seed).normal(size=(ROWS, targets))
    return 100 + errors, errors


def test_scores_are_a_tenth_for_each_power_of_ten():
    assert [score_of_chance(chance) for chance in (1.0, 0.1, 1e-5, 1e-20)] == pytest.approx([0, 0.1, 0.5, 1])


@pytest.mark.parametrize("targets", [1, 4])
def test_normal_errors_are_rarely_unusual(targets):
    scores = np.concatenate([run(*normal(targets, seed))[WARM:] for seed in range(8)])
    assert np.mean(scores > 0.2) < 0.02  # said to be one in 100
    assert np.mean(scores > 0.3) < 0.002  # one in 1,000
    assert np.mean(scores > 0.45) == 0


FAULTS = {
    "spike": (lambda noise: noise + 12 * (np.arange(len(noise)) == 0), 1),
    "level": (lambda noise: noise + 3.0, 40),
    "variance": (lambda noise: 4 * noise, 40),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_stand_out(fault):
    change, rows = FAULTS[fault]
    values, errors = normal()
    usual = run(values, errors)[WARM:].max()
    broken = slice(WARM + 500, WARM + 500 + rows)
    errors[broken, 0] = change(errors[broken, 0])
    scores = run(values, errors)
    assert scores[broken].max() > usual + 0.05
    assert scores[broken].max() > 0.35


@pytest.mark.parametrize("value", [np.nan, 100.0], ids=["missing", "stuck"])
def test_values_that_stay_away_or_the_same_stand_out(value):
    values, errors = normal()
    begin = WARM + 500
    values[begin : begin + 40] = value
    errors[begin : begin + 40] = np.where(np.isnan(value), np.nan, 0.0)
    scores = run(values, errors)
    assert scores[begin : begin + 3].max() < 0.3  # a few of them are not unusual
    assert scores[begin + 39] > 0.45
    assert scores[begin + 60 :].max() < 0.4


def test_values_that_repeat_all_the_time_are_not_watched():
    values, errors = normal()
    values[WARM + 500 : WARM + 540] = 100.0
    scores = run(values, errors, longest_repeat=1e9)
    np.testing.assert_array_equal(scores, run(values + 1e3 * errors, errors, longest_repeat=1e9))


def test_what_has_never_had_a_value_is_not_missing_one():
    values, errors = normal(2)
    values[:, 1] = errors[:, 1] = np.nan
    assert run(values, errors)[WARM:].max() < 0.45


def test_one_of_several_targets_is_enough():
    values, errors = normal(4)
    errors[WARM + 500, 2] += 15
    scores = run(values, errors)
    assert scores[WARM + 500] > 0.35


def test_what_moves_all_targets_is_told_from_what_moves_one():
    """Errors of two targets that go together, now and then by a lot: only one that goes alone is unusual."""
    random = np.random.default_rng(0)
    common = random.normal(size=ROWS) * np.where(random.random(ROWS) < 0.02, 15, 0)
    errors = common[:, None] + random.normal(size=(ROWS, 2))
    together, alone = WARM + 500, WARM + 700
    errors[together] += 12
    errors[alone, 1] += 12
    untold = AnomalySpec.untold(2)
    scores = {}
    for name, weights in (("apart", ((0.0, 0.0),) * 2), ("together", ((0.0, 1.0), (1.0, 0.0)))):
        score = AnomalyScore(2, dataclasses.replace(untold, usual_error=(0.8,) * 4, weights=weights))
        inputs = {"values": 100 + errors, "errors": errors, "widths": np.full_like(errors, 1.6)}
        tensors = {key: tf.constant(value[None].astype(np.float32)) for key, value in inputs.items()}
        run_compiled = tf.function(StepStream(score).run)
        outputs, _ = run_compiled(tensors, tf.ones([1, ROWS], tf.bool), score.initial_state(1))
        scores[name] = outputs["output_0"].numpy()[0]
    assert scores["apart"][alone] < 0.25
    assert scores["together"][alone] > 0.35 > scores["together"][together]


def test_a_lasting_change_is_got_used_to():
    values, errors = normal()
    errors[WARM - 500 :] *= 3
    scores = run(values, errors)
    assert scores[WARM - 500 : WARM - 400].max() > 0.3
    assert np.mean(scores[-300:] > 0.3) < 0.02


def test_a_wide_forecast_excuses_an_error():
    score, _ = scorer(1)
    state = score.initial_state(2)
    rows = {"values": [[50.0]] * 2, "errors": [[20.0]] * 2, "widths": [[1.6], [40.0]]}
    scores, _ = score.step(*(tf.constant(value) for value in rows.values()), tf.constant([True, True]), state)
    assert scores[0] > 0.3 > scores[1]


def test_an_alarm_begins_at_its_score():
    score = AnomalyScore(1, dataclasses.replace(AnomalySpec.untold(1), alarm=0.5))
    assert score.is_alarm(tf.constant([0.49, 0.5, 1.0])).numpy().tolist() == [False, True, True]
