"""One user's text while it is typed and corrected: what an editor keeps beside the exported model."""

from typing import Any

import tensorflow as tf

from runnel.shared.streaming.replay import start

__all__ = ["TypingSession"]

State = dict[str, tf.Tensor]


class TypingSession:
    """Gives suggestions for a text that grows, shrinks or changes.

    A state cannot go back, so the states at the word boundaries are kept, and the word being typed is sent again with
    every key. A backspace over a boundary falls back to the boundary before it.

    Args:
        model: a loaded export.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._boundaries: list[tuple[str, State]] = [("", start(model, 1))]

    def suggest(self, text: str) -> list[tuple[str, float]]:
        """The suggestions for all that has been typed, best first, each with its probability."""
        while not text.startswith(self._boundaries[-1][0]):
            self._boundaries.pop()
        before, state = self._boundaries[-1]
        boundary = len(text.rstrip()) - len(text.split()[-1]) if text.split() and not text[-1].isspace() else len(text)
        if boundary > len(before):
            outputs = self._step(text[len(before) : boundary], state)
            before, state = text[:boundary], {name: outputs[name] for name in state}
            self._boundaries.append((before, state))
        outputs = self._step(text[boundary:], state)
        words, scores = (outputs[name].numpy()[0] for name in ("suggestions", "scores"))
        return [(word.decode(), float(score)) for word, score in zip(words, scores, strict=True) if word]

    def _step(self, text: str, state: State) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = self._model.step(text=tf.constant([text.encode(errors="replace")]), **state)
        return outputs
