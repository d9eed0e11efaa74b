import keras
import numpy as np
import pytest

from runnel.shared.training.averaged_weights import AveragedWeights


def averaged_weights(use_ema: bool = True) -> tuple[keras.Variable, keras.Variable | None, AveragedWeights]:
    inputs = keras.Input([1])
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
    optimizer = keras.optimizers.SGD(0.1, use_ema=use_ema)
    optimizer.build(model.trainable_variables)
    averaged = AveragedWeights(model, optimizer)
    return model.trainable_variables[0], averaged.averages[0] if use_ema else None, averaged


def test_averages_start_from_the_weights() -> None:
    _, average, averaged = averaged_weights()
    averaged.start()
    np.testing.assert_array_equal(average, [[1.0]])


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_the_average_is_in_the_model_inside_the_block_alone(error: type[BaseException] | None) -> None:
    weight, average, averaged = averaged_weights()
    assert average is not None
    average.assign([[5.0]])
    try:
        with averaged:
            np.testing.assert_array_equal(weight, [[5.0]])
            if error:
                raise error
    except KeyboardInterrupt:
        pass
    np.testing.assert_array_equal(weight, [[1.0]])
    np.testing.assert_array_equal(average, [[5.0]])


def test_an_interrupt_between_the_swaps_is_mended() -> None:
    weight, average, averaged = averaged_weights()
    assert average is not None
    average.assign([[5.0]])
    averaged.__enter__()
    averaged.restore_raw()
    np.testing.assert_array_equal(weight, [[1.0]])
    weight.assign([[2.0]])
    averaged.restore_raw()
    np.testing.assert_array_equal(weight, [[2.0]])


def test_without_averages_nothing_changes() -> None:
    weight, _, averaged = averaged_weights(use_ema=False)
    assert averaged.pairs == []
    averaged.start()
    with averaged:
        np.testing.assert_array_equal(weight, [[1.0]])
    np.testing.assert_array_equal(weight, [[1.0]])
