"""The optimizer of every application: AdamW or Muon, warm-up, cosine decay, clipping, averaged weights."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import keras

__all__ = ["OptimizerName", "build_optimizer"]

OptimizerName: TypeAlias = Literal["adamw", "muon"]


def build_optimizer(
    learning_rate: float,
    steps: int,
    warmup_steps: int = 0,
    weight_decay: float = 0.0,
    clip_norm: float | None = None,
    averaging: float = 0.0,
    name: OptimizerName = "adamw",
    output_layers: Sequence[str] = (),
) -> keras.optimizers.Optimizer:
    """Builds an optimizer under a linear warm-up and a cosine decay to zero.

    `adamw` is Loshchilov and Hutter 2019 (arXiv 1711.05101). `muon` is Jordan et al. 2024: the momentum of each matrix
    with all its singular values made about one, scaled so that the rate and the decay of AdamW fit it (Liu et al. 2025,
    arXiv 2502.16982, section 2.2); AdamW moves what is not a matrix, embeddings, and the output layers, of which each
    column is for a class of its own.

    Args:
        learning_rate: The peak, reached after the warm-up.
        steps: Training steps of the whole run, warm-up included; the learning rate is zero at the end.
        warmup_steps: Steps of rising learning rate, fewer than `steps`. The first step already moves the weights.
        weight_decay: Decoupled weight decay, as a fraction per step of the learning rate.
        clip_norm: The largest norm of all gradients together; None does not clip.
        averaging: Momentum of the exponential moving average of the weights, below 1; 0 keeps no average.
        name: Which optimizer.
        output_layers: Names of the layers that Muon leaves to AdamW.

    Returns:
        An optimizer that is not built yet.

    Raises:
        ValueError: If `warmup_steps` is not below `steps`, or `averaging` not in [0, 1).
    """
    if not 0 <= warmup_steps < steps:
        raise ValueError(f"received warmup_steps={warmup_steps} and steps={steps}; expected 0 <= warmup_steps < steps")
    if not 0 <= averaging < 1:
        raise ValueError(f"received averaging={averaging}; expected 0 (none) or a momentum below 1")
    common: dict[str, Any] = {
        "learning_rate": _schedule(learning_rate, steps, warmup_steps),
        "weight_decay": weight_decay,
        "global_clipnorm": clip_norm,
        "use_ema": averaging > 0,
        "ema_momentum": averaging,
    }
    if name == "adamw":
        return keras.optimizers.AdamW(**common)
    return keras.optimizers.Muon(**common, adam_weight_decay=weight_decay, exclude_layers=list(output_layers))


def _schedule(learning_rate: float, steps: int, warmup_steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    if warmup_steps == 0:
        return keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    return keras.optimizers.schedules.CosineDecay(
        learning_rate / warmup_steps, steps - warmup_steps, warmup_target=learning_rate, warmup_steps=warmup_steps
    )
