"""Text that a model writes after prompts."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

__all__ = ["write_on"]


def write_on(
    model: Any, prompts: Sequence[str], max_tokens: int, temperature: float = 0.0, top_p: float = 1.0
) -> list[str]:
    """What follows each prompt: the most probable continuation, or with a temperature one that is drawn with seed 0.

    Args:
        model: has `generate`, in memory or loaded from an export.
        prompts: how the texts begin.
        max_tokens: how many tokens to write at most.
        temperature: as `generate` takes it.
        top_p: as `generate` takes it.
    """
    written = model.generate(
        prompt=tf.constant(prompts),
        max_tokens=tf.constant(max_tokens),
        temperature=tf.constant(temperature),
        top_k=tf.constant(0),
        top_p=tf.constant(top_p),
        seed=tf.constant(0),
    )["text"]
    return [text.decode() for text in written.numpy()]
