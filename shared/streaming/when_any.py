"""Work that only some calls need, at no cost for the others."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

__all__ = ["when_any"]


def when_any(rows: tf.Tensor, run: Callable[[], Any], otherwise: Any) -> Any:
    """What `run` gives if it is due in any row, else `otherwise`.

    In the graph `run` stays a function of its own. Inlined, as conditionals are, every operation of a branch that is
    not taken would still be visited, to be told that it has nothing to do: of a decode loop some thousand.

    Args:
        rows: bool [...], where it is due.
        run: gives tensors of the structure, shapes and dtypes of `otherwise`.
        otherwise: tensors.
    """
    branch = tf.function(run, autograph=False, experimental_attributes={"_noinline": True})
    return tf.cond(tf.reduce_any(rows), branch, lambda: otherwise)
