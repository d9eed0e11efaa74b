"""What each token of a split costs the network, and what a cache of the latest tokens would spare."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from runnel.apps.autocomplete.data import LanguageData, validation_batches
from runnel.apps.autocomplete.model import next_token_logits
from runnel.shared.layers.explicit_state import initial_state
from runnel.shared.layers.unigram_cache import UnigramCache

__all__ = ["CacheFit", "cross_entropy", "fit_cache", "token_losses"]

_WEIGHTS = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)
_WINDOW = 256


@dataclass(frozen=True)
class CacheFit:
    """The weight of the cache that is best on the validation split.

    Attributes:
        weight: w of `UnigramCache`; 0 leaves the cache out.
        loss_without: nats a token on the validation split without a cache.
        loss: the same with the cache of this weight.
    """

    weight: float
    loss_without: float
    loss: float


def cross_entropy(network: keras.Model, context: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Nats [B, T] of each target [B, T] after a context [B, T, E]."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, next_token_logits(network, context))


def token_losses(network: keras.Model, data: LanguageData, split: str) -> Callable[[], np.ndarray]:
    """Reads a split with the network as it stands, its stretches side by side, each from a fresh state.

    Returns:
        a function that gives the nats of every token of the split but the first, float64 [N - 1], in their order.
    """
    batches = validation_batches(data, split)
    rows = batches.element_spec["mask"].shape[0]

    @tf.function
    def window(batch: Mapping[str, tf.Tensor], state: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, dict]:
        inputs = {"token_ids": batch["token_ids"], "mask": batch["mask"], "state": state}
        outputs, new_state = network(inputs, training=False)
        return cross_entropy(network, outputs["context"], batch["targets"]), new_state

    def read() -> np.ndarray:
        state, losses, masks = initial_state(network.layers, rows), [], []
        for batch in batches:
            loss, state = window(batch, state)
            losses.append(loss.numpy())
            masks.append(batch["mask"].numpy())
        return np.concatenate(losses, axis=1)[np.concatenate(masks, axis=1)].astype(np.float64)

    return read


def fit_cache(network: keras.Model, data: LanguageData, places: int) -> CacheFit:
    """Chooses the weight of the cache on the validation split.

    Args:
        network: as it will be exported.
        data: the text.
        places: C of `UnigramCache`.
    """
    losses = token_losses(network, data, "validation")()
    mean = {
        weight: float(np.mean(_mix(losses, data.token_ids["validation"], UnigramCache(places, weight))))
        for weight in _WEIGHTS
    }
    best = min(mean, key=lambda weight: mean[weight])
    return CacheFit(best, mean[0.0], mean[best])


def _mix(losses: np.ndarray, token_ids: np.ndarray, cache: UnigramCache) -> np.ndarray:
    """Nats [N - 1] of the tokens after the first with the cache mixed in, along the whole split."""
    mixed, state = [], cache.remember(tf.constant(token_ids[None, :1]), tf.constant([[True]]), cache.initial_state(1))
    for begin in range(0, len(losses), _WINDOW):
        ids = tf.constant(token_ids[None, 1 + begin : 1 + begin + _WINDOW])
        own = tf.constant(-losses[None, begin : begin + _WINDOW], tf.float32)
        mixed.append(-cache.mix_along(own, ids, state)[0].numpy())
        state = cache.remember(ids, tf.ones_like(ids, tf.bool), state)
    return np.concatenate(mixed)
