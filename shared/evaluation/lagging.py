"""How far a simultaneous translation lags behind the speaker, in words of the source."""

from collections.abc import Sequence

__all__ = ["average_lagging", "length_adaptive_average_lagging"]


def average_lagging(delays: Sequence[int], source_words: int, reference_words: int) -> float:
    """AL: by how many words of the source a translation is behind one that keeps pace with the speaker.

    The mean of d(t) - (t - 1) |x| / |y*| over the words t of the translation up to the first that was written when the
    whole source had been read. |y*| is the length of the reference, as in SimulEval.

    Source: Ma et al. 2019, arXiv 1810.08398, equation 8; Ma et al. 2020, arXiv 2007.16193, section 2.2.

    Args:
        delays: d(t), for each word of the translation, how many words of the source had been read when it was written.
        source_words: |x|, at least 1.
        reference_words: |y*|, at least 1.

    Returns:
        words; `source_words` where nothing was translated, as if all had come at the end.

    Raises:
        ValueError: a length below 1.
    """
    return _lagging(delays, source_words, reference_words, reference_words)


def length_adaptive_average_lagging(delays: Sequence[int], source_words: int, reference_words: int) -> float:
    """LAAL: the same, so that a translation longer than its reference does not seem faster than it is.

    |y*| is the length of the reference or of the translation, whichever is longer.

    Source: Papi et al. 2022, arXiv 2206.05807, equation 3.

    Args:
        delays: as for `average_lagging`.
        source_words: as there.
        reference_words: as there.

    Returns:
        words, as there.

    Raises:
        ValueError: a length below 1.
    """
    return _lagging(delays, source_words, reference_words, max(reference_words, len(delays)))


def _lagging(delays: Sequence[int], source_words: int, reference_words: int, pace_words: int) -> float:
    """The mean lag behind a translation that writes `pace_words` while the source is read."""
    if source_words < 1 or reference_words < 1:
        raise ValueError(f"received {source_words} and {reference_words} words; expected at least 1 each")
    if not delays:
        return float(source_words)
    pace = source_words / pace_words
    last = next((place for place, delay in enumerate(delays) if delay >= source_words), len(delays) - 1)
    counted = delays[: last + 1]
    return sum(delay - place * pace for place, delay in enumerate(counted)) / len(counted)
