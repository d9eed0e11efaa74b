import numpy as np
import pytest

from runnel.shared.evaluation.most_frequent_word import fit_most_frequent_word


def test_shares_by_hand_whatever_came_before() -> None:
    model = fit_most_frequent_word([np.array([1, 1, 2], np.int32), [], [1]], vocabulary=5)
    for context in ([], [2, 2]):
        np.testing.assert_array_equal(model.probabilities(context), [0, 0.75, 0.25, 0, 0])


def test_the_shares_cannot_be_spoilt() -> None:
    with pytest.raises(ValueError, match="read-only"):
        fit_most_frequent_word([[0]], 2).probabilities([])[:] = 0


@pytest.mark.parametrize(
    ("sequences", "message"), [([], "no token"), ([[]], "no token"), ([[0, 2]], "0 to 2"), ([[-1]], "-1 to -1")]
)
def test_fitting_refuses_bad_input(sequences: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_most_frequent_word(sequences, 2)
