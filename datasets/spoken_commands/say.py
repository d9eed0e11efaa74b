"""Writes an audio file in which a synthetic voice of the test split says what it is told.

python -m runnel.datasets.spoken_commands.say OUT.wav TEXT... [--speaker NUMBER]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runnel.datasets.audio.resample import SAMPLE_RATE, resample
from runnel.datasets.audio.to_float32 import to_float32
from runnel.datasets.spoken_commands.draw_speakers import draw_speakers
from runnel.datasets.spoken_commands.espeak import Espeak
from runnel.shared.errors import InputError

__all__ = ["main", "say"]

_PAUSE = SAMPLE_RATE // 2  # samples of silence before, between and after the texts
_SPEAKERS = 100


def say(texts: Sequence[str], speaker: int = 0) -> np.ndarray:
    """Speaks texts one after the other, with half a second of silence around each.

    Args:
        texts: What to say.
        speaker: Which speaker, from 0; the training has heard none of them.

    Returns:
        float32 [N], 16 kHz.

    Raises:
        InputError: The engine is not installed, or there is no such speaker.
    """
    if not 0 <= speaker < _SPEAKERS:
        raise InputError(f"received speaker {speaker}; expected a number from 0 to {_SPEAKERS - 1}")
    rng = np.random.default_rng(0)
    chosen = list(draw_speakers("test", speaker + 1, rng))[speaker]
    pause, pieces = np.zeros(_PAUSE, np.float32), []
    with Espeak() as engine:
        for text in texts:
            spoken = to_float32(engine.say(text, chosen.next_voice(rng)))
            pieces += [pause, resample(spoken, engine.sample_rate)]
    return np.concatenate([*pieces, pause])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 2 for what cannot be said or written."""
    import soundfile

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("text", nargs="+")
    parser.add_argument("--speaker", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        soundfile.write(options.out, say(options.text, options.speaker), SAMPLE_RATE)
    except (InputError, soundfile.LibsndfileError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
