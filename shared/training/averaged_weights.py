"""The exponential moving average of the weights that a Keras optimizer keeps (`use_ema`)."""

from types import TracebackType

import keras
import numpy as np

__all__ = ["AveragedWeights"]


class AveragedWeights:
    """Puts the averaged weights into the model for the length of a `with` block.

    Without `use_ema` the block changes nothing.

    Args:
        model: The model whose trainable variables the optimizer was built with.
        optimizer: The built optimizer.
    """

    def __init__(self, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
        self._raw: list[np.ndarray] | None = None
        self._weights = list(model.trainable_variables)
        # Keras lets its averages be copied into a model, but has no public name to read them by.
        self.averages = list(optimizer._model_variables_moving_average) if optimizer.use_ema else []

    @property
    def pairs(self) -> list[tuple[keras.Variable, keras.Variable]]:
        """Each trainable variable with its average; empty without `use_ema`."""
        return list(zip(self._weights, self.averages, strict=True)) if self.averages else []

    def start(self) -> None:
        """Lets every average start from the weights as they are, in place of zero."""
        for weight, average in self.pairs:
            average.assign(weight)

    def restore_raw(self) -> None:
        """Puts the raw weights back; does nothing where they already are in place.

        An interrupt may fall into `__enter__` or `__exit__` themselves; this then mends what they left.
        """
        if self._raw is not None:
            for (weight, _), raw in zip(self.pairs, self._raw, strict=True):
                weight.assign(raw)
            self._raw = None

    def __enter__(self) -> None:
        self._raw = [weight.numpy() for weight, _ in self.pairs]
        for weight, average in self.pairs:
            weight.assign(average)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.restore_raw()
