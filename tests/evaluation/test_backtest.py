import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.shared.evaluation.backtest import (
    Fold,
    LookAheadError,
    check_no_look_ahead,
    look_ahead_error,
    rolling_origin_backtest,
    rolling_origin_folds,
)

VALUES = np.random.default_rng(0).normal(50.0, 4.0, size=(100, 2))
TIMESTAMPS = np.arange(100) * 3600


def trailing_mean(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
    return np.stack([values[max(0, row - 4) : row + 1].mean(axis=0) for row in range(len(values))])


def centred_mean(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
    return np.stack([values[max(0, row - 2) : row + 3].mean(axis=0) for row in range(len(values))])


def scaled_by_all_rows(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / values.std(axis=0)


def scaled_by_rows_so_far(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
    return np.stack([values[row] - values[: row + 1].mean(axis=0) for row in range(len(values))])


def scaled_by_first_quarter(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
    """Looks clean, but where the quarter ends depends on how many rows there are."""
    return values - values[: len(values) // 4].mean(axis=0)


def knows_missing(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
    return values * (1.0 + np.isnan(values).any())


def time_to_next_row(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
    return np.diff(timestamps, append=timestamps[-1] + 3600)


@pytest.mark.parametrize("clean", [trailing_mean, scaled_by_rows_so_far, lambda values, timestamps: values])
def test_a_clean_forecaster_passes(clean: object) -> None:
    assert look_ahead_error(clean, VALUES, TIMESTAMPS, 40) == 0.0
    check_no_look_ahead(clean, VALUES, TIMESTAMPS)


@pytest.mark.parametrize("leaking", [centred_mean, scaled_by_all_rows, scaled_by_first_quarter, knows_missing])
def test_a_planted_leak_is_caught(leaking: object) -> None:
    assert look_ahead_error(leaking, VALUES, TIMESTAMPS, 40) > 0.1
    with pytest.raises(LookAheadError, match=r"look-ahead: forecasts made up to row 25 change by .* at most 1e-06"):
        check_no_look_ahead(leaking, VALUES, TIMESTAMPS)


def test_the_message_names_the_garbage_that_told() -> None:
    with pytest.raises(LookAheadError, match="row 10 change by inf when the rows after it are replaced by missing"):
        check_no_look_ahead(lambda values, _: values * values.mean(), VALUES, TIMESTAMPS, origins=[10])


def test_later_timestamps_are_a_leak_unless_they_may_be_known() -> None:
    assert look_ahead_error(time_to_next_row, VALUES, TIMESTAMPS, 40) > 0
    kept = look_ahead_error(time_to_next_row, VALUES, TIMESTAMPS, 40, timestamps_known=True)
    assert kept == 0.0


def test_the_size_of_the_leak_is_measured() -> None:
    # adding a thousandth of the next value: garbage is about 20 spreads away, so about 0.08 off, not 0 and not 4
    def forecast(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
        later = np.append(values[1:, 0], values[-1, 0])
        return values[:, 0] + 1e-3 * np.nan_to_num(later)

    assert 0.01 < look_ahead_error(forecast, VALUES, TIMESTAMPS, 40) < 0.5
    check_no_look_ahead(forecast, VALUES, TIMESTAMPS, tolerance=1.0)


def test_a_forecaster_cannot_spoil_the_rows_of_the_test() -> None:
    def spoil(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
        result = values.copy()
        values[:] = 0.0
        timestamps[:] = 0
        return result

    before = VALUES.copy()
    check_no_look_ahead(spoil, VALUES, TIMESTAMPS)
    np.testing.assert_array_equal(VALUES, before)


@pytest.mark.parametrize("origin", [-1, 99, 100])
def test_an_origin_needs_rows_on_both_sides(origin: int) -> None:
    with pytest.raises(ValueError, match=f"origin is {origin} for 100 rows"):
        look_ahead_error(trailing_mean, VALUES, TIMESTAMPS, origin)


def test_a_forecaster_must_give_one_entry_a_row() -> None:
    with pytest.raises(ValueError, match="one entry a row"):
        look_ahead_error(lambda values, _: values[1:], VALUES, TIMESTAMPS, 40)


def test_folds_by_hand() -> None:
    assert rolling_origin_folds(10, folds=3, minimum_train=4) == [
        Fold(slice(0, 4), slice(4, 6)),
        Fold(slice(0, 6), slice(6, 8)),
        Fold(slice(0, 8), slice(8, 10)),
    ]


@given(st.integers(1, 9), st.integers(1, 50), st.integers(0, 200))
def test_folds_score_each_later_row_once_and_after_its_training(folds: int, minimum: int, spare: int) -> None:
    rows = minimum + folds + spare
    cut = rolling_origin_folds(rows, folds, minimum)
    scored = [row for fold in cut for row in range(rows)[fold.test]]
    assert scored == list(range(minimum, rows))
    assert all(fold.train == slice(0, fold.test.start) for fold in cut)
    sizes = [fold.test.stop - fold.test.start for fold in cut]
    assert len(cut) == folds
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("arguments", [(10, 0, 4), (10, 3, 0), (6, 3, 4)])
def test_folds_refuse_too_few_rows(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="give"):
        rolling_origin_folds(*arguments)


def test_backtest_fits_on_the_rows_before_the_origin_alone() -> None:
    values = np.arange(10.0)[:, None]
    seen = []

    def fit(train: np.ndarray) -> float:
        seen.append(train.tolist())
        return float(train.mean())

    def score(model: float, known: np.ndarray, test: slice) -> float:
        assert len(known) == test.stop
        return float(np.abs(known[test] - model).mean())

    results = rolling_origin_backtest(lambda rows: values[:rows], rolling_origin_folds(10, 2, 4), fit, score)
    assert seen[0] == [[0.0], [1.0], [2.0], [3.0]]
    assert len(seen[1]) == 7
    # means 1.5 and 3; test rows 4, 5, 6 and 7, 8, 9
    assert [result.score for result in results] == [3.5, 5.0]
    assert [result.fold.test for result in results] == [slice(4, 7), slice(7, 10)]


def test_backtest_shows_what_a_scaler_fitted_on_all_rows_hides() -> None:
    """Prices that rise: z-scores of the test rows look tame only when the scaler has seen them."""
    values = np.arange(100.0)[:, None] ** 1.5

    def deviation(model: tuple[float, float], known: np.ndarray, test: slice) -> float:
        return float(np.abs((known[test] - model[0]) / model[1]).mean())

    def cut(rows: int) -> np.ndarray:
        return values[:rows]

    folds = rolling_origin_folds(100, 2, 50)
    honest = rolling_origin_backtest(cut, folds, lambda rows: (rows.mean(), rows.std()), deviation)
    leaking = rolling_origin_backtest(cut, folds, lambda _: (values.mean(), values.std()), deviation)
    assert honest[0].score > 2 * leaking[0].score


def test_backtest_refuses_folds_that_overlap() -> None:
    with pytest.raises(ValueError, match="overlap"):
        rolling_origin_backtest(lambda rows: VALUES[:rows], [Fold(slice(0, 50), slice(49, 60))], len, lambda *_: 0)
