"""Audio of any sample rate -> 16,000 Hz."""

import threading

import numpy as np

__all__ = ["SAMPLE_RATE", "resample"]

SAMPLE_RATE = 16_000  # Hz, of everything that is made of audio here.
_IMPORTING = threading.Lock()


def resample(waveform: np.ndarray, rate: int) -> np.ndarray:
    """Resamples to 16,000 Hz with soxr's high quality filter, through librosa.

    Args:
        waveform: float32 [N], mono.
        rate: Its sample rate in Hz.

    Returns:
        float32 [N * 16,000 / rate, rounded up]: as long in seconds; the waveform itself if the rate is 16,000 Hz.
    """
    if rate == SAMPLE_RATE or not len(waveform):
        return waveform
    with _IMPORTING:  # Threads that import librosa at the same time can meet it half loaded.
        from librosa import resample as librosa_resample
    resampled: np.ndarray = librosa_resample(waveform, orig_sr=rate, target_sr=SAMPLE_RATE, res_type="soxr_hq")
    return resampled
