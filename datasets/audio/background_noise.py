"""Made-up background sounds: a kind, a length and a seed -> samples; a seed -> recordings of all kinds."""

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from runnel.shared.errors import InputError

__all__ = ["KINDS", "background_noise", "background_noises", "to_pcm"]

_RATE = 16_000  # Hz
_PEAK = (-26.0, -4.0)  # dB below full scale; the loudest sample of a recording lies in between
_CONTROL = 1_600  # samples between the points of a slow curve, 0.1 s


def background_noise(kind: str, seconds: float, seed: int) -> np.ndarray:
    """Makes a recording of a background; the same arguments give the same samples.

    Args:
        kind: One of `KINDS`.
        seconds: Its length.
        seed: Where the random draws begin; recordings of different seeds have nothing in common.

    Returns:
        int16 [N] at 16 kHz. The loudest sample is between 26 and 4 dB below full scale.

    Raises:
        InputError: No such kind, or a negative length.
    """
    if kind not in _MAKERS:
        raise InputError(f"received the background noise '{kind}'; expected one of {', '.join(KINDS)}")
    if not 0 <= seconds < np.inf:
        raise InputError(f"received a background noise of {seconds} seconds; expected a length from 0 on")
    length = round(seconds * _RATE)
    if length == 0:
        return np.zeros(0, np.int16)
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    return to_pcm(_MAKERS[kind](rng, length), 10 ** (rng.uniform(*_PEAK) / 20))


def background_noises(seed: int, each: int = 6, seconds: float = 20.0) -> list[np.ndarray]:
    """Makes recordings of all kinds, to be heard behind speech that comes without any; hours of audio repeat them.

    Few are not enough: a single sound in them that is taken for a word counts each time it comes round again.

    Args:
        seed: Where the random draws begin; of different seeds, with the same `each`, no two recordings are alike.
        each: Recordings of a kind.
        seconds: Their length.

    Returns:
        int16 [N] at 16 kHz each, kind by kind.
    """
    return [background_noise(kind, seconds, seed * each + number) for kind in KINDS for number in range(each)]


def to_pcm(sound: np.ndarray, peak: float) -> np.ndarray:
    """Scales a sound to a peak.

    Args:
        sound: float [N]; all zeros stay zeros.
        peak: The largest absolute value of the result, of full scale 1.

    Returns:
        int16 [N].
    """
    largest = np.max(np.abs(sound), initial=0.0)
    return np.round(sound * (peak * 32_767 / largest if largest else 0.0)).astype(np.int16)


# === Steady noise ===


def _coloured(rng: np.random.Generator, length: int, slope: float) -> np.ndarray:
    """Noise of variance 1 whose amplitude falls as frequency ** -slope above 20 Hz: white 0, pink 0.5, brown 1."""
    unit = 1 << max(length.bit_length() - 4, 1)
    block = -(-length // unit) * unit  # a length that a Fourier transform is quick at
    frequency = np.fft.rfftfreq(block, 1 / _RATE)
    spectrum = rng.standard_normal(2 * len(frequency)).view(np.complex128)
    spectrum *= np.where(frequency > 0, np.maximum(frequency, 20.0) ** -slope, 0.0)
    noise = np.fft.irfft(spectrum, block)[:length]
    return noise / (noise.std() or 1.0)


def _slow_curve(rng: np.random.Generator, length: int, depth: float) -> np.ndarray:
    """A gain around 1 that wanders within -depth .. depth dB over seconds."""
    points = rng.uniform(-depth, depth, length // (20 * _CONTROL) + 2)  # one every two seconds
    return 10 ** (np.interp(np.arange(length), np.arange(len(points)) * 20 * _CONTROL, points) / 20)


def _white(rng: np.random.Generator, length: int) -> np.ndarray:
    return _coloured(rng, length, 0.0) * _slow_curve(rng, length, 3.0)


def _pink(rng: np.random.Generator, length: int) -> np.ndarray:
    return _coloured(rng, length, 0.5) * _slow_curve(rng, length, 6.0)


def _brown(rng: np.random.Generator, length: int) -> np.ndarray:
    return _coloured(rng, length, 1.0) * _slow_curve(rng, length, 6.0)


def _harmonics(phase: np.ndarray, levels: np.ndarray, begin: np.ndarray | float = 0.0) -> np.ndarray:
    """The sum over k of levels[k] * sin((k + 1) * phase + begin[k]).

    Args:
        phase: Radians [N].
        levels: Of the fundamental and its overtones [K].
        begin: Radians, [K] or one for all.
    """
    turn = np.exp(1j * phase)
    power, sound = turn.copy(), np.zeros(len(phase))
    for weight in levels * np.exp(1j * begin):
        sound += power.imag * weight.real + power.real * weight.imag
        power *= turn
    return sound


def _hum(rng: np.random.Generator, length: int) -> np.ndarray:
    """Mains: harmonics of 50 or 60 Hz, the even ones stronger as of a transformer, and some hiss."""
    mains = rng.choice([50.0, 60.0]) * rng.uniform(0.998, 1.002)
    order = np.arange(1, 20)
    levels = rng.uniform(0.3, 1.0, 19) / order ** rng.uniform(0.6, 1.4) * np.where(order % 2, 0.5, 1.0)
    tones = _harmonics(2 * np.pi * mains / _RATE * np.arange(length), levels, rng.uniform(0, 2 * np.pi, 19))
    return (tones + 0.03 * _coloured(rng, length, 0.3)) * _slow_curve(rng, length, 1.0)


def _fan(rng: np.random.Generator, length: int) -> np.ndarray:
    """Air that the blades of a fan chop: noise and a few tones at the blade frequency, which drifts."""
    drift = _slow_curve(rng, length, 0.3)
    phase = 2 * np.pi * np.cumsum(rng.uniform(20.0, 160.0) * drift) / _RATE
    air = _coloured(rng, length, rng.uniform(0.3, 0.8)) * (1 + rng.uniform(0.1, 0.4) * np.sin(phase))
    return air + _harmonics(phase, rng.uniform(0.1, 0.5, 4) / np.arange(1, 5))


# === Short sounds at drawn moments ===


def _scatter(
    rng: np.random.Generator, length: int, every: float, make: Callable[[np.random.Generator], np.ndarray]
) -> np.ndarray:
    """Puts sounds at random moments, `every` seconds apart on average; some come in quick runs of up to six."""
    sound = np.zeros(length)
    moment = int(rng.uniform(0, min(every * _RATE, length)))
    while moment < length:
        gap = rng.uniform(0.06, 0.3)
        for repeat in range(int(rng.integers(1, 7)) if rng.random() < 0.3 else 1):
            begin = moment + int(repeat * gap * _RATE)
            piece = make(rng)[: max(length - begin, 0)] * 10 ** (rng.uniform(-18, 0) / 20)
            sound[begin : begin + len(piece)] += piece
        moment += max(int(rng.exponential(every) * _RATE), 1)
    return sound


def _decay(rng: np.random.Generator, shortest: float, longest: float) -> tuple[np.ndarray, np.ndarray]:
    """Time in seconds [N], and a curve that falls by 60 dB over a drawn length."""
    seconds = np.exp(rng.uniform(np.log(shortest), np.log(longest)))
    time = np.arange(max(round(seconds * _RATE), 2)) / _RATE
    return time, 10 ** (-3 * time / seconds)


def _click(rng: np.random.Generator) -> np.ndarray:
    """A key, a switch, a cup: a few milliseconds of noise with a ring above 1 kHz."""
    time, decay = _decay(rng, 0.004, 0.05)
    ring = np.sin(2 * np.pi * rng.uniform(1_000, 6_000) * time)
    return decay * (rng.standard_normal(len(time)) * rng.uniform(0.2, 1.0) + ring)


def _knock(rng: np.random.Generator) -> np.ndarray:
    """A knock, a step, a door: low modes of a body, struck."""
    time, decay = _decay(rng, 0.05, 0.6)
    modes = [
        rng.uniform(0.2, 1.0) * np.sin(2 * np.pi * frequency * time) * decay ** rng.uniform(0.5, 2.0)
        for frequency in rng.uniform(60, 900, 5)
    ]
    strike = rng.standard_normal(len(time)) * decay**8
    return np.sum(modes, axis=0) + rng.uniform(0.2, 1.5) * strike


def _drop(rng: np.random.Generator) -> np.ndarray:
    """A drop: a short ring that rises."""
    time, decay = _decay(rng, 0.005, 0.04)
    return decay * np.sin(2 * np.pi * (rng.uniform(800, 4_000) * time + rng.uniform(0, 40_000) * time**2))


def _beep(rng: np.random.Generator) -> np.ndarray:
    """A signal of a device, a horn or a bird: a tone that may glide and warble."""
    time = np.arange(int(rng.uniform(0.05, 0.8) * _RATE)) / _RATE
    frequency = np.exp(rng.uniform(np.log(250), np.log(3_500)))
    glide = rng.choice([0.0, rng.uniform(-0.4, 0.8)]) * frequency * time**2 / (2 * time[-1])
    warble = rng.choice([0.0, rng.uniform(0.5, 3.0)]) * np.sin(2 * np.pi * rng.uniform(4, 15) * time)
    phase = 2 * np.pi * (frequency * time + glide) + warble
    edge = np.minimum(1.0, np.minimum(time, time[-1] - time) / 0.01)
    return edge * _harmonics(phase, np.array([1.0, rng.uniform(0, 0.5), rng.uniform(0, 0.3)]))


def _clicks(rng: np.random.Generator, length: int) -> np.ndarray:
    return _scatter(rng, length, rng.uniform(0.2, 1.5), _click) + 0.003 * _pink(rng, length)


def _knocks(rng: np.random.Generator, length: int) -> np.ndarray:
    return _scatter(rng, length, rng.uniform(0.5, 3.0), _knock) + 0.005 * _brown(rng, length)


def _beeps(rng: np.random.Generator, length: int) -> np.ndarray:
    return _scatter(rng, length, rng.uniform(0.8, 4.0), _beep) + 0.005 * _pink(rng, length)


def _rain(rng: np.random.Generator, length: int) -> np.ndarray:
    """A wash of noise with single drops in it."""
    wash = _coloured(rng, length, 0.25) * _slow_curve(rng, length, 4.0)
    return rng.uniform(0.1, 0.4) * wash + _scatter(rng, length, rng.uniform(0.03, 0.12), _drop)


# === Music ===


def _note(rng: np.random.Generator, frequency: float, seconds: float, overtones: np.ndarray) -> np.ndarray:
    """One note: harmonics [K] with their levels as far as the rate allows, vibrato, an attack, and a fall."""
    time = np.arange(int(seconds * _RATE)) / _RATE
    phase = 2 * np.pi * frequency * time + rng.random() * np.sin(2 * np.pi * 5.5 * time)
    sound = _harmonics(phase, overtones[: int(_RATE / 2.2 / frequency)])
    return sound * np.minimum(time / rng.uniform(0.005, 0.08), 1.0) * np.exp(-rng.uniform(0.5, 4.0) * time / seconds)


def _notes(rng: np.random.Generator, beats: int, beat: float) -> list[tuple[float, int, float, float]]:
    """A chord every four beats and a melody over it: (second, step of the scale, seconds, level) of each note."""
    notes, degree = [], 7
    for count in range(beats):
        if count % 4 == 0:
            root = int(rng.choice([0, 3, 4, 5]))
            notes += [(count * beat, step, 4 * beat, 0.5) for step in (root, root + 2, root + 4)]
        if rng.random() < 0.8:
            degree = int(np.clip(degree + rng.integers(-2, 3), 4, 16))
            notes.append((count * beat, degree, beat * rng.choice([0.5, 1.0, 2.0]), 0.8))
    return notes


def _music(rng: np.random.Generator, length: int) -> np.ndarray:
    """Chords, a melody and a beat; tempo, major or minor, key and timbre are drawn."""
    beat = 60.0 / rng.uniform(66, 150)
    scale = rng.choice([[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10]])
    key = rng.uniform(98.0, 196.0)
    overtones = rng.uniform(0.2, 1.0, 8) / np.arange(1, 9) ** rng.uniform(0.8, 2.0)
    beats = int(length / _RATE / beat) + 1
    pieces = [
        (second, level * _note(rng, key * 2 ** (scale[step % 7] / 12 + step // 7), seconds, overtones))
        for second, step, seconds, level in _notes(rng, beats, beat)
    ]
    pieces += [(count * beat, 0.4 * _click(rng)) for count in range(1, beats, 2) if rng.random() < 0.8]
    sound = 0.003 * _pink(rng, length)
    for second, piece in pieces:
        begin = int(second * _RATE)
        sound[begin : begin + len(piece)] += piece[: max(length - begin, 0)]
    return sound


_MAKERS: Mapping[str, Callable[[np.random.Generator, int], np.ndarray]] = MappingProxyType(
    {
        "beeps": _beeps,
        "brown": _brown,
        "clicks": _clicks,
        "fan": _fan,
        "hum": _hum,
        "knocks": _knocks,
        "music": _music,
        "pink": _pink,
        "rain": _rain,
        "white": _white,
    }
)
KINDS = tuple(_MAKERS)
