"""Texts that are the same in every language, made up, so that a model learns to copy what it cannot know."""

import numpy as np

__all__ = ["copied_texts"]

_DIGITS = "0123456789"
_SCRIPTS = (  # code points, the last one included
    (0x61, 0x7A),  # a to z
    (0x41, 0x5A),  # A to Z
    (0xDF, 0xFF),  # Latin letters with marks
    (0x3B1, 0x3C9),  # Greek
    (0x410, 0x44F),  # Cyrillic
    (0x5D0, 0x5EA),  # Hebrew
    (0x627, 0x64A),  # Arabic
    (0x4E00, 0x4FFF),  # Chinese characters
    (0x1F600, 0x1F64F),  # faces
)
_MOST_WORDS = 3
_LONGEST = 7  # characters of a word
_NUMBER_SHARE = 0.5


def copied_texts(count: int, seed: int) -> list[str]:
    """Makes up texts to copy: numbers, names that nobody has, words in other scripts.

    For the same purpose Currey, Miceli Barone & Heafield 2017 ("Copied monolingual data improves low-resource neural
    machine translation") use real texts of the target language.

    Args:
        count: how many.
        seed: where the draws begin.
    """
    random = np.random.default_rng([seed, 1])
    return [_text(random) for _ in range(count)]


def _text(random: np.random.Generator) -> str:
    words = [_number(random) if random.random() < _NUMBER_SHARE else _word(random) for _ in range(_words(random))]
    return " ".join(words) + str(random.choice(["", ".", "!"]) if random.random() < 0.5 else "")


def _words(random: np.random.Generator) -> int:
    return int(random.integers(1, _MOST_WORDS + 1))


def _number(random: np.random.Generator) -> str:
    """Digits, some with a mark among them: 1984, 3.14, 12:30."""
    digits = "".join(random.choice(list(_DIGITS), int(random.integers(1, _LONGEST + 1))))
    if len(digits) < 2 or random.random() < 0.7:
        return digits
    place = int(random.integers(1, len(digits)))
    return digits[:place] + str(random.choice([".", ",", ":", "-", "/"])) + digits[place:]


def _word(random: np.random.Generator) -> str:
    low, high = _SCRIPTS[int(random.integers(len(_SCRIPTS)))]
    length = int(random.integers(1, _LONGEST + 1))
    return "".join(map(chr, random.integers(low, high + 1, length)))
