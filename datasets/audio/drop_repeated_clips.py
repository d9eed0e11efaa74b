"""Keeps each recording once: public collections of words hold some of them several times."""

from runnel.datasets.audio.speech_corpus import Clips

__all__ = ["drop_repeated_clips"]


def drop_repeated_clips(clips: Clips, notes: list[str]) -> Clips:
    """Keeps the first of clips with equal samples, and none where they have different labels; drops empty clips.

    Args:
        clips: The clips of a source.
        notes: Takes a sentence for each kind of clip that is left out.

    Returns:
        The clips that are left, in their order.
    """
    found: dict[bytes, list[int]] = {}
    for index, waveform in enumerate(clips.waveforms):
        found.setdefault(waveform.tobytes(), []).append(index)
    empty = found.pop(b"", [])
    alike = [same for same in found.values() if len({clips.labels[index] for index in same}) == 1]
    repeats = sum(len(same) - 1 for same in alike)
    clashes = sum(map(len, found.values())) - sum(map(len, alike))
    _note(notes, repeats, "byte for byte the same as another one of the same label")
    _note(notes, clashes, "byte for byte the same as one of another label")
    _note(notes, len(empty), "without any samples")
    return clips.take([same[0] for same in alike])


def _note(notes: list[str], count: int, kind: str) -> None:
    """Notes how many clips were left out."""
    if count:
        notes.append(f"left out: {count:,} clip{'s' * (count > 1)} {kind}")
