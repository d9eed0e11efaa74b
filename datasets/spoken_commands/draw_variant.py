"""Voices that no other split has, without end: the file of a voice variant, drawn at random."""

import numpy as np

__all__ = ["draw_variant"]

_FORMANTS = 9  # 0 is the bass below the first one, 6 to 8 are fixed ones that give a voice its brightness
_LENGTHS = (0.86, 1.2)  # of all frequencies: from a long vocal tract to a short one
_PITCHES = (70.0, 215.0)  # Hz, of the lowest note
_STRENGTHS = (0.4, 2.2)  # of the buzz of the voice, and of the hiss of consonants


def draw_variant(rng: np.random.Generator) -> str:
    """Returns what the file of a variant of espeak-ng says.

    The formants lie higher or lower together, as in people of another size, and each a little apart; they differ in
    strength and in width, as do the buzz of the voice and the hiss of consonants, and the tone as a whole.

    Args:
        rng: Where the draws come from.
    """
    lowest = _log_uniform(rng, *_PITCHES)
    lines = [
        "language variant",
        f"pitch {lowest:.0f} {lowest * rng.uniform(1.15, 1.6):.0f}",
        f"flutter {rng.integers(0, 12)}",
        f"roughness {rng.integers(0, 5)}",
        f"voicing {100 * _log_uniform(rng, *_STRENGTHS):.0f}",
        f"consonants {100 * _log_uniform(rng, *_STRENGTHS):.0f} {100 * _log_uniform(rng, *_STRENGTHS):.0f}",
    ]
    length = _log_uniform(rng, *_LENGTHS)
    for formant in range(_FORMANTS):
        spread = 0.05 if formant < 4 else 0.15
        frequency = length * rng.uniform(1 - spread, 1 + spread)
        strength = rng.uniform(0.55, 1.2) if formant < 6 else rng.uniform(0.0, 1.0)
        lines.append(f"formant {formant} {100 * frequency:.0f} {100 * strength:.0f} {100 * rng.uniform(0.7, 1.6):.0f}")
    if rng.random() < 0.5:
        low, middle, high = rng.integers(60, 256, 3)
        lines.append(f"tone 600 {low} 1200 {middle} {rng.integers(2000, 4000)} {high}")
    return "\n".join(lines) + "\n"


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
