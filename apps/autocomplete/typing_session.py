"""One user's text while it is typed and corrected: what an editor keeps beside the exported model."""

from collections import deque
from typing import Any

import tensorflow as tf

from runnel.shared.streaming.replay import start

__all__ = ["TypingSession"]

State = dict[str, tf.Tensor]

_BOUNDARIES = 200  # a state takes some kilobytes


class TypingSession:
    """Gives suggestions for a text that grows, shrinks or changes.

    A state cannot go back, so the states at the latest 200 word boundaries are kept, and the word being typed is sent
    again with every key. A backspace over a boundary falls back to the boundary before it; behind the first of them the
    text is read again from its start.

    Args:
        model: a loaded export.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._start = start(model, 1)
        self._text = ""  # up to the last boundary
        self._boundaries: deque[tuple[int, State]] = deque(maxlen=_BOUNDARIES)  # lengths of text, and the states there

    def suggest(self, text: str) -> list[tuple[str, float]]:
        """The suggestions for all that has been typed, best first, each with its probability."""
        while self._boundaries and not text.startswith(self._text[: self._boundaries[-1][0]]):
            self._boundaries.pop()
        before, state = self._boundaries[-1] if self._boundaries else (0, self._start)
        boundary = len(text) - _length_of_last_word(text)
        if boundary > before:
            outputs = self._step(text[before:boundary], state)
            state = {name: outputs[name] for name in state}
            self._boundaries.append((boundary, state))
        self._text = text[:boundary]
        outputs = self._step(text[boundary:], state)
        words, scores = (outputs[name].numpy()[0] for name in ("suggestions", "scores"))
        return [(word.decode(), float(score)) for word, score in zip(words, scores, strict=True) if word]

    def _step(self, text: str, state: State) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = self._model.step(text=tf.constant([text.encode(errors="replace")]), **state)
        return outputs


def _length_of_last_word(text: str) -> int:
    """Characters behind the last blank."""
    return len(text.rsplit(maxsplit=1)[-1]) if text and not text[-1].isspace() else 0
