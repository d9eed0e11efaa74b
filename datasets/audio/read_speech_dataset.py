"""A prepared dataset of TensorFlow Datasets -> clips; ours by name, any other as tfds:NAME."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runnel.datasets.audio.read_audio import to_mono
from runnel.datasets.audio.resample import SAMPLE_RATE, resample
from runnel.datasets.audio.speech_corpus import BACKGROUND, LONGEST_CLIP, Clips
from runnel.datasets.audio.to_int16 import to_int16
from runnel.datasets.builders.open_builder import open_builder, prepare_builder
from runnel.datasets.builders.read_splits import SPLITS
from runnel.shared.errors import InputError

__all__ = ["BUILDER_NAMES", "read_speech_dataset"]

BUILDER_NAMES = ("spoken_commands",)
_SPEAKER_FEATURES = ("speaker", "speaker_id")


@dataclass(frozen=True)
class _Columns:
    """Which features of a dataset are read."""

    audio: str
    label: str
    speaker: str | None
    rate: int  # Hz
    label_names: tuple[str, ...] | None  # Of a ClassLabel.


def read_speech_dataset(name: str, folder: Path, notes: list[str]) -> dict[str, Clips]:
    """Prepares a dataset if it is not there yet, and reads its clips.

    Args:
        name: One of `BUILDER_NAMES`, or `tfds:NAME` for any dataset with samples and a label. The samples are its only
            Audio feature, else a tensor called "audio" with a "sample_rate" in the metadata; the label is the feature
            called "label", else the only ClassLabel, else the only text. A feature "speaker" or "speaker_id" tells the
            speakers.
        folder: Where prepared data is kept.
        notes: Takes a sentence for each thing that was done to samples, and in how many clips.

    Returns:
        The clips of train, validation and test as far as there are any; a dataset without a split called "train" has
        all its clips in "train".

    Raises:
        InputError: No such dataset, it cannot be prepared or read, it has other features, its sample rate is not
            known, its samples are no audio, or it holds no clips.
    """
    import tensorflow as tf

    name = name.removeprefix("tfds:") if name.removeprefix("tfds:") in BUILDER_NAMES else name
    builder = open_builder(name, BUILDER_NAMES, folder)
    columns = _columns(name, builder.info)
    prepare_builder(name, builder, folder, quiet=name in BUILDER_NAMES)
    present = [split for split in SPLITS if split in builder.info.splits]
    wanted = {split: split for split in present} if "train" in present else {"train": "all"}
    treatments = Counter[str]()
    try:
        splits = {split: _clips(name, builder, part, columns, treatments) for split, part in wanted.items()}
    except (tf.errors.OpError, OSError) as error:
        raise InputError(
            f"{name}: the prepared data in {builder.data_dir} is damaged ({type(error).__name__}); "
            "delete that folder and try again"
        ) from error
    if not splits["train"].labels:
        raise InputError(f"{name} holds no clips to train on; expected some; take another dataset")
    notes += [f"{treatment}: {count:,} clip{'s' * (count > 1)}" for treatment, count in treatments.items()]
    return {split: clips for split, clips in splits.items() if clips.labels}


def _columns(name: str, info: Any) -> _Columns:
    """Chooses the features to read."""
    import tensorflow_datasets as tfds

    items = dict(info.features.items()) if hasattr(info.features, "items") else {}
    audio = [key for key, feature in items.items() if isinstance(feature, tfds.features.Audio)]
    audio = audio or [key for key in ("audio",) if key in items and len(items[key].shape or ()) in (1, 2)]
    classes = [key for key, feature in items.items() if isinstance(feature, tfds.features.ClassLabel)]
    texts = [key for key, feature in items.items() if isinstance(feature, tfds.features.Text)]
    speaker = next((key for key in _SPEAKER_FEATURES if key in items and items[key].shape == ()), None)
    labels = [key for key in classes if key != speaker] or [key for key in texts if key != speaker]
    labels = ["label"] if "label" in classes + texts else labels
    if len(audio) != 1 or len(labels) != 1:
        raise InputError(
            f"{name} has {len(audio)} audio features and {len(labels)} that may be the label, of {_listed(items)}; "
            "expected one of each; write the clips to FOLDER/label/*.wav and give that folder"
        )
    metadata = info.metadata if isinstance(info.metadata, dict) else {}
    rate = getattr(items[audio[0]], "sample_rate", None) or metadata.get("sample_rate")
    if not rate:
        raise InputError(
            f"{name} does not tell the sample rate of '{audio[0]}'; expected it in the features of the dataset; "
            "write the clips to FOLDER/label/*.wav and give that folder"
        )
    names = tuple(items[labels[0]].names) if labels[0] in classes else None
    return _Columns(audio[0], labels[0], speaker, int(rate), names)


def _listed(names: Any) -> str:
    """Returns names in one line."""
    return ", ".join(f"'{name}'" for name in names) or "none"


def _clips(name: str, builder: Any, split: str, columns: _Columns, treatments: Counter[str]) -> Clips:
    """Reads a split example by example: clips differ in length."""
    import tensorflow_datasets as tfds

    from runnel.shared.training.without_autotuning import without_autotuning

    chosen = {key: True for key in (columns.audio, columns.label, columns.speaker) if key}
    waveforms, labels, speakers = [], [], []
    # It warns of code of its own, for nothing where all features are small, as in ours.
    decoders = None if builder.name in BUILDER_NAMES else tfds.decode.PartialDecoding(chosen)
    examples = builder.as_dataset(split=split, decoders=decoders)
    for index, example in enumerate(tfds.as_numpy(without_autotuning(examples))):
        label = _text(example[columns.label])
        labels.append(columns.label_names[int(label)] if columns.label_names else label)
        speakers.append(_text(example[columns.speaker]) if columns.speaker else "")
        what = f"{name}: clip {index:,} of {split}, '{labels[-1]}',"
        notes = list[str]()
        waveforms.append(_samples(what, example[columns.audio], columns.rate, notes))
        treatments.update(notes)
        seconds = len(waveforms[-1]) / SAMPLE_RATE
        if seconds > LONGEST_CLIP and labels[-1] != BACKGROUND:
            raise InputError(
                f"{what} is {seconds:,.1f} s long; expected one word or phrase of at most {LONGEST_CLIP:.0f} s; "
                "take a dataset of single words"
            )
    return Clips(tuple(waveforms), tuple(labels), tuple(speakers))


def _text(value: Any) -> str:
    """Returns a label or a speaker, text or a number."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _samples(what: str, values: np.ndarray, rate: int, notes: list[str]) -> np.ndarray:
    """Returns int16 [N] at 16,000 Hz from [N] or [N, channels] of any type."""
    if values.dtype == np.int16 and values.ndim == 1 and rate == SAMPLE_RATE:
        return values
    if np.issubdtype(values.dtype, np.integer):
        highest = np.abs(values.astype(np.float64)).max(initial=0)
        if highest > 32768:
            raise InputError(f"{what} holds values up to {highest:,.0f}; expected 16-bit samples; take another dataset")
        values = values / np.float32(32768)
    samples = values.astype(np.float32).reshape(len(values), -1 if values.size else 1)
    if rate != SAMPLE_RATE:
        notes.append(f"resampled from {rate:,} to {SAMPLE_RATE:,} Hz")
    return to_int16(resample(to_mono(what, samples, notes), rate))
