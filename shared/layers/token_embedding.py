"""Token embeddings that serve as the weights of the output softmax as well."""

from typing import Any

import keras
from keras import ops

__all__ = ["TokenEmbedding"]


@keras.saving.register_keras_serializable(package="runnel")
class TokenEmbedding(keras.layers.ReversibleEmbedding):
    """An embedding whose weights, and a bias for every token, give the logits of the next token.

    Sources: Press & Wolf 2017, arXiv 1608.05859; Inan et al. 2017, arXiv 1611.01462.

    Args:
        tokens: V, size of the vocabulary.
        width: E, of an embedding and of what the logits are made from.
    """

    def __init__(self, tokens: int, width: int, **kwargs: Any) -> None:
        super().__init__(tokens, width, embeddings_initializer=keras.initializers.RandomNormal(stddev=0.1), **kwargs)
        self.tokens, self.width = tokens, width

    def build(self, inputs_shape: tuple | None = None) -> None:
        """Creates the embeddings [V, E] and the bias [V]."""
        super().build(inputs_shape)
        self.bias = self.add_weight(name="bias", shape=(self.tokens,), initializer="zeros")

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """Embeds token ids [...] to [..., E]; with `reverse` gives the logits [..., V] from [..., E]."""
        outputs = super().call(inputs, reverse=reverse)
        return ops.add(outputs, ops.cast(self.bias, outputs.dtype)) if reverse else outputs

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Saves the bias too, which the layer beneath does not know."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """The inverse of `save_own_variables`."""
        keras.layers.Layer.load_own_variables(self, store)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        base = keras.layers.Layer.get_config(self)
        return base | {"tokens": self.tokens, "width": self.width}
