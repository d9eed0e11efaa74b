"""Utterances of several people -> the babble of a room."""

from collections.abc import Sequence

import numpy as np

from runnel.datasets.audio.background_noise import background_noise, to_pcm

__all__ = ["babble"]

_RATE = 16_000  # Hz


def babble(utterances: Sequence[np.ndarray], seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Mixes utterances over each other, as two to eight people who speak at once, nearer and farther.

    Args:
        utterances: int16 [N] each, at 16 kHz; at least one.
        seconds: The length of the result.
        rng: Where the draws come from.

    Returns:
        int16 [N]; the loudest sample is between 26 and 8 dB below full scale.
    """
    room = background_noise("pink", seconds, int(rng.integers(1 << 30)))
    mixture = 0.01 * room / max(np.abs(room).max(initial=0), 1)
    for _ in range(int(rng.integers(2, 9))):
        gain = 10 ** (rng.uniform(-20, 0) / 20)
        begin = int(rng.uniform(0, 2) * _RATE)
        while begin < len(mixture):
            spoken = utterances[int(rng.integers(len(utterances)))]
            piece = spoken[: len(mixture) - begin] / max(np.abs(spoken).max(), 1)
            mixture[begin : begin + len(piece)] += gain * piece
            begin += len(spoken) + int(rng.exponential(0.4) * _RATE)
    return to_pcm(mixture, 10 ** (rng.uniform(-26, -8) / 20))
