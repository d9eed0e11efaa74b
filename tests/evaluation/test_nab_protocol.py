import numpy as np
import pytest

from runnel.shared.evaluation.nab_protocol import PROFILES, NabSeries, Profile, probationary_rows, score_nab

ROWS = 4_000
WINDOW = (2_000, 2_399)


def detected(*rows, windows=(WINDOW,), length=ROWS):
    scores = np.zeros(length)
    scores[list(rows)] = 1.0
    return NabSeries(scores, windows)


def sigmoid(position):
    return 2 / (1 + np.exp(5 * position)) - 1


def test_a_detector_that_says_nothing_has_zero():
    for value in (0.0, 0.5, 1.0):
        for profile in PROFILES.values():
            found = score_nab([NabSeries(np.full(ROWS, value), (WINDOW,))], profile)
            assert (found.score, found.found, found.threshold) == (0, 0, np.inf)


def test_a_perfect_detector_has_a_hundred():
    for profile in PROFILES.values():
        assert score_nab([detected(WINDOW[0])], profile).score == pytest.approx(100)


def test_a_random_detector_is_where_the_published_one_is():
    """Published of version 1.1 on the whole corpus: 11 to 17 under the standard profile."""
    windows = [(1_000, 1_199), (2_500, 2_699)]  # a tenth of the rows, as in the corpus
    reached = [
        score_nab([NabSeries(np.random.default_rng([seed, one]).random(ROWS), windows) for one in range(20)]).score
        for seed in range(8)
    ]
    assert 8 < np.mean(reached) < 25


@pytest.mark.parametrize("row", [2_000, 2_100, 2_399])
def test_the_earliest_detection_in_a_window_counts(row):
    position = -(WINDOW[1] - row + 1) / 400
    expected = (sigmoid(position) / sigmoid(-1.0) + 1) / 2
    found = score_nab([detected(row, 2_390)])
    assert found.score == pytest.approx(100 * (1 + sigmoid(-(WINDOW[1] - min(row, 2_390) + 1) / 400) / sigmoid(-1)) / 2)
    assert row > 2_390 or found.score == pytest.approx(100 * expected)
    assert (found.found, found.windows, found.false_alarms) == (1, 1, 0)


@pytest.mark.parametrize(
    ("row", "value"), [(2_400, sigmoid(1 / 399)), (2_600, sigmoid(201 / 399)), (3_999, -1.0), (700, -1.0)]
)
def test_a_false_alarm_costs_more_the_further_it_is_behind_a_window(row, value):
    found = score_nab([detected(WINDOW[0], row)])
    assert found.score == pytest.approx(100 * (2 + 0.11 * value) / 2, rel=1e-6)
    assert found.false_alarms == 1


def test_the_probationary_part_counts_for_nothing():
    assert [probationary_rows(rows) for rows in (1_000, 4_032, 5_000, 20_000)] == [150, 604, 750, 750]
    assert score_nab([detected(WINDOW[0], *range(600))]).score == pytest.approx(100)


def test_one_threshold_is_best_for_all_series():
    loud, soft = detected(WINDOW[0]), detected(WINDOW[0])
    soft.scores[:] *= 0.5
    soft.scores[3_000] = 0.75
    found = score_nab([loud, soft])
    assert found.threshold == 0.5
    assert (found.found, found.false_alarms) == (2, 1)
    assert found.score == pytest.approx(100 * (4 - 0.11) / 4, rel=1e-3)


def test_rows_of_one_score_are_detected_together():
    scores = np.zeros(ROWS)
    scores[[2_000, 700, 800, 900]] = 1.0
    assert score_nab([NabSeries(scores, (WINDOW,))]).score == pytest.approx(100 * (2 - 3 * 0.11) / 2, rel=1e-6)


def test_profiles_weigh_misses_and_false_alarms():
    series = [detected(WINDOW[0], 700), detected()]
    reached = {name: score_nab(series, profile).score for name, profile in PROFILES.items()}
    assert reached["standard"] == pytest.approx(100 * (2 - 0.11) / 4)
    assert reached["reward low FP"] == pytest.approx(100 * (2 - 0.22) / 4)
    assert reached["reward low FN"] == pytest.approx(100 * (3 - 0.11) / 6)


def test_without_a_window_there_is_nothing_to_score():
    with pytest.raises(ValueError, match="without a window"):
        score_nab([detected(windows=())], Profile(1, 1, 1))


def test_series_without_a_window_count_their_false_alarms():
    found = score_nab([detected(WINDOW[0]), detected(3_000, windows=())])
    assert found.score == pytest.approx(100 * (2 - 0.11) / 2)
