"""Where in a recording somebody speaks: the part that is louder than its background."""

import numpy as np

__all__ = ["speech_bounds"]

_FRAME = 320  # samples, 20 ms at 16 kHz
_BELOW_LOUDEST = 30.0  # dB; speech is not that much softer than its own loudest frame
_ABOVE_BACKGROUND = 9.0  # dB over the tenth percentile of the frames


def speech_bounds(waveform: np.ndarray) -> tuple[int, int]:
    """The first and one past the last sample of the frames that are louder than the background.

    A frame of 20 ms counts if its level is within 30 dB of the loudest frame and 9 dB above the background, which is
    the tenth percentile of the frames' levels. Where that leaves nothing, as in steady noise, it is the whole.

    Args:
        waveform: float32 [N] at 16 kHz, in [-1, 1].
    """
    frames = len(waveform) // _FRAME
    if frames == 0:
        return 0, len(waveform)
    power = np.mean(np.square(waveform[: frames * _FRAME].reshape(frames, _FRAME), dtype=np.float64), axis=1)
    level = 10 * np.log10(power + 1e-10)
    loudest = level.max()
    threshold = max(loudest - _BELOW_LOUDEST, min(np.percentile(level, 10) + _ABOVE_BACKGROUND, loudest - 6))
    loud = np.flatnonzero(level >= threshold)
    return int(loud[0]) * _FRAME, int(loud[-1] + 1) * _FRAME
