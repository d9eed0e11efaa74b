"""Log-mel features of audio, a chunk of samples at a time, inside the graph."""

from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["LogMel"]

Tensors = dict[str, tf.Tensor]

_QUIETEST = 1e-4  # root mean square of white noise, 80 dB below full scale, that weighs as much as the floor


class LogMel(tf.Module):
    """Turns samples into log-mel frames: one each `hop` samples, of the window of samples that ends with the hop.

    Frame k is log(mel . |DFT(Hann . x)|^2 + floor) of the samples (k + 1) * hop - window <= n < (k + 1) * hop, zeros
    before the first sample, with the periodic Hann window. It is what librosa gives for the power spectrum without
    centring (`melspectrogram(center=False, power=2)`) when `window - hop` zeros stand before the signal: within 1e-4
    nats in bands down to 60 dB below the loudest of their frame, and 1e-3 in any.

    The floor is what white noise 80 dB below full scale gives in every band. The least significant bit of a 16-bit
    recording is 10 dB below that: a silence of zeros and one with a dither of one bit differ by less than 0.4 nats,
    and speech in a quiet room stays above the floor.

    Streams: any cutting of the samples gives the same frames and the same state. The module keeps nothing between
    calls. Long recordings are for the caller to cut: memory grows with the samples of one call.

    Args:
        sample_rate: samples a second.
        hop: samples from frame to frame.
        window: samples of a frame, the length of the transform too.
        bands: mel bands, Slaney's scale and area normalisation.
        low: lower edge of the first band in Hz.
        high: upper edge of the last band in Hz; half the sample rate by default.

    Attributes:
        floor: power that is added before the logarithm.

    Raises:
        ValueError: the window is shorter than the hop, or the edges are not within 0 .. `sample_rate` / 2.
    """

    state_names = ("samples", "waiting")

    def __init__(
        self,
        sample_rate: int = 16_000,
        hop: int = 320,
        window: int = 640,
        bands: int = 40,
        low: float = 20.0,
        high: float | None = None,
    ) -> None:
        super().__init__()
        high = sample_rate / 2 if high is None else high
        if not 1 <= hop <= window:
            raise ValueError(f"Received hop={hop}, window={window}; expected 1 <= hop <= window.")
        if not 0 <= low < high <= sample_rate / 2:
            raise ValueError(f"Received low={low}, high={high}; expected 0 <= low < high <= {sample_rate / 2}.")
        self.sample_rate, self.hop, self.window, self.bands = sample_rate, hop, window, bands
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
        # White noise has the power variance * sum(hann^2) in every bin; the weights of a band have an area of 1 / Hz.
        self.floor = _QUIETEST**2 * float(np.sum(hann**2)) * window / sample_rate
        self._hann = tf.constant(hann, tf.float32)
        self._mel = tf.constant(_mel_matrix(sample_rate, window, bands, low, high), tf.float32)

    def initial_state(self, batch_size: tf.Tensor | int) -> Tensors:
        """The state before the first sample.

        Args:
            batch_size: int32 scalar.

        Returns:
            `samples` float32 [B, window - 1], the last samples of the stream, and `waiting` int32 [B], how many of
            them no frame ends with yet.
        """
        return {"samples": tf.zeros([batch_size, self.window - 1]), "waiting": tf.zeros([batch_size], tf.int32)}

    def step(self, waveform: tf.Tensor, length: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, tf.Tensor, Tensors]:
        """Takes the next samples.

        Args:
            waveform: float32 [B, N] in [-1, 1], N may be 0. Values outside are clipped, NaN and infinity count as 0.
            length: int32 [B], valid samples of each row; what stands behind them is ignored. Values outside of
                0 .. N count as the nearest of the two.
            state: as `initial_state` or the step before gave it.

        Returns:
            features float32 [B, M, bands], zeros behind the frames of a row; frame_count int32 [B], frames that these
            samples complete, M at most; and the state.
        """
        length = tf.clip_by_value(length, 0, tf.shape(waveform)[1])
        waveform = tf.where(tf.math.is_finite(waveform), tf.clip_by_value(waveform, -1.0, 1.0), 0.0)
        joined = tf.concat([state["samples"], waveform], axis=1)
        total = state["waiting"] + length
        count = total // self.hop
        most = tf.maximum(tf.reduce_max(count), 0)  # M; without rows the maximum is the lowest integer
        # The first frame ends `hop - waiting` samples behind the state, which holds window - 1.
        spans = _spans(joined, self.hop - 1 - state["waiting"], (most - 1) * self.hop + self.window)
        features = self._log_mel(tf.signal.frame(spans, self.window, self.hop))  # [B, M, bands]
        features = tf.where(tf.sequence_mask(count, most)[..., None], features, 0.0)
        samples = tf.gather(joined, length[:, None] + tf.range(self.window - 1), batch_dims=1)
        return features, count, {"samples": samples, "waiting": total % self.hop}

    def _log_mel(self, frames: tf.Tensor) -> tf.Tensor:
        """Features [B, M, bands] of frames [B, M, window]."""
        spectrum = tf.signal.rfft(tf.reshape(frames * self._hann, [-1, self.window]))
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        mel = tf.matmul(power, self._mel)
        return tf.reshape(tf.math.log(mel + self.floor), [*tf.unstack(tf.shape(frames)[:2]), self.bands])


def _spans(values: tf.Tensor, start: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """`length` values of each row, float32 [B, length], from its own start on; the last value fills up."""

    def one_slice() -> tf.Tensor:
        return values[:, start[0] : start[0] + length]

    def gathered() -> tf.Tensor:
        places = tf.minimum(start[:, None] + tf.range(length), tf.shape(values)[1] - 1)
        return tf.gather(values, places, batch_dims=1)

    # Rows in step, as in training or alone, need no gathering, which takes nearly as long as all the rest together.
    return tf.cond(tf.reduce_max(start) == tf.reduce_min(start), one_slice, gathered)


def _mel_matrix(sample_rate: int, window: int, bands: int, low: float, high: float) -> Any:
    """Weights [window // 2 + 1, bands] of the bins of the spectrum in each band."""
    from librosa.filters import mel  # slow to import

    return mel(sr=sample_rate, n_fft=window, n_mels=bands, fmin=low, fmax=high, dtype=np.float64).T
