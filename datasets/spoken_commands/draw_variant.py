"""Voices that no other split has, without end: the file of a voice variant, drawn at random."""

import numpy as np

__all__ = ["draw_variant"]

_FORMANTS = 9  # 0 is the bass below the first one, 6 to 8 are fixed ones that give a voice its brightness
_LENGTHS = (0.82, 1.35)  # of all frequencies: from a long vocal tract to a short one
_PITCHES = (50.0, 240.0)  # Hz, of the lowest note
_STRENGTHS = (0.3, 2.5)  # of the buzz of the voice, and of the hiss of consonants
_SPREAD = 0.13  # by which each formant is apart from the others, standard deviation of the logarithm of its frequency
_VOWELS = (1, 2)  # the formants that tell vowels apart: too far from where they should be, a word is another
_FAR = (3, 4, 6, 7, 8)  # those that may be far off; the engine sums up harmonics as far as the fifth, whatever there is


def draw_variant(rng: np.random.Generator) -> str:
    """Returns what the file of a variant of espeak-ng says.

    The formants lie higher or lower together, as in people of another size, and each a little apart, some of the upper
    ones far; they differ in strength and in width, as do the buzz of the voice and the hiss of consonants, and the tone
    as a whole. Some voices echo, breathe, come from another synthesiser of the engine (Klatt's), or stress their words
    in a way of their own.

    Args:
        rng: Where the draws come from.
    """
    lowest = _log_uniform(rng, *_PITCHES)
    lines = [
        "language variant",
        f"pitch {lowest:.0f} {lowest * rng.uniform(1.0, 1.8):.0f}",
        f"flutter {rng.integers(0, 20)}",
        f"roughness {rng.integers(0, 6)}",
        f"voicing {100 * _log_uniform(rng, *_STRENGTHS):.0f}",
        f"consonants {100 * _log_uniform(rng, *_STRENGTHS):.0f} {100 * _log_uniform(rng, *_STRENGTHS):.0f}",
    ]
    length = _log_uniform(rng, *_LENGTHS)
    lines += [_formant(formant, length, rng) for formant in range(_FORMANTS)]
    if rng.random() < 0.5:
        low, middle, high = rng.integers(20, 256, 3)
        lines.append(f"tone 600 {low} 1200 {middle} {rng.integers(2000, 4000)} {high}")
    if rng.random() < 0.2:
        lines.append(f"echo {rng.integers(10, 150)} {rng.integers(10, 60)}")
    if rng.random() < 0.15:
        lines.append(f"klatt {rng.integers(1, 7)}")  # not with breath, for which the sixth takes numbers without a seed
    elif rng.random() < 0.15:
        lines.append("breath " + " ".join(map(str, rng.integers(0, 40, 8))))
    if rng.random() < 0.2:  # as files of the engine have it: next to no lengths, and all of it is added
        lines += ["stressLength 0 1 2 3 4 5 6 7", "stressAdd " + " ".join(map(str, rng.integers(150, 220, 8)))]
    elif rng.random() < 0.25:
        lines.append("stressAdd " + " ".join(map(str, rng.integers(-30, 200, 8))))
    if rng.random() < 0.25:
        lines.append("stressAmp " + " ".join(map(str, rng.integers(12, 32, 8))))
    if rng.random() < 0.25:
        lines.append(f"intonation {rng.integers(1, 5)}")
    return "\n".join(lines) + "\n"


def _formant(number: int, length: float, rng: np.random.Generator) -> str:
    """The line of a formant: frequency, strength and width, in per cent of those of the plain voice."""
    frequency = length * np.exp(_SPREAD * np.clip(rng.standard_normal(), -2, 2))
    strength, width = _log_uniform(rng, 0.45, 1.5), _log_uniform(rng, 0.5, 1.8)
    if number in _FAR and rng.random() < 0.2:
        frequency = length * _log_uniform(rng, 0.1, 2.0)
    if number > max(_VOWELS) and rng.random() < 0.2:
        strength = rng.uniform(0.0, 0.45)
    return f"formant {number} {100 * frequency:.0f} {100 * strength:.0f} {100 * width:.0f}"


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
