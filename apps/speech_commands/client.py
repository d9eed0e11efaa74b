"""Uses an exported recogniser as any service would: through its SavedModel and manifest alone."""

import dataclasses
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from runnel.apps.speech_commands.config import Config, StreamOptions
from runnel.apps.speech_commands.data import SpeechData
from runnel.apps.speech_commands.evaluate import evaluate, verdicts
from runnel.apps.speech_commands.evaluation_corpus import evaluation_corpus
from runnel.apps.speech_commands.hear_sessions import read_events
from runnel.apps.speech_commands.live_audio import at_pace, cut, raw_audio
from runnel.apps.speech_commands.pad_waveforms import pad_waveforms, with_silence_after
from runnel.datasets.audio.read_audio import Audio, read_audio
from runnel.datasets.audio.resample import SAMPLE_RATE
from runnel.shared.errors import InputError
from runnel.shared.evaluation.detection_scores import Event
from runnel.shared.export.load_export import load_export
from runnel.shared.layers.clip_posterior import ClipPosterior
from runnel.shared.layers.event_detector import EventDetector
from runnel.shared.streaming.replay import replay, start
from runnel.shared.terminal.show_table import csv_line, show_table

__all__ = ["evaluate_export", "predict", "stream"]

Say = Callable[[str], None]

_TOGETHER = 32  # files that are heard side by side
_LONG = 30.0  # seconds from which a file is heard alone
_CHUNK_SECONDS = 5.0
_REAL_TIME_SECONDS = 0.02


def predict(export_dir: Path, inputs: Sequence[str], say: Say) -> None:
    """Says which label each audio file is, and which commands are heard in it when.

    Label and probability are what `serving_default` gives for the file; a long one goes through `step` alone, piece by
    piece, and its posteriors are put together here.

    Args:
        export_dir: the export.
        inputs: audio files.
        say: called with each line of the answer.

    Raises:
        InputError: an input cannot be used; nothing was said.
    """
    manifest, model = load_export(export_dir, "speech_commands")
    rows = [row for batch in _batches(inputs) for row in _answers(model, manifest["meanings"], batch)]
    show_table(["file", "label", "probability", "seconds", "events"], rows, say)


def stream(export_dir: Path, keys: TextIO, say: Say, options: StreamOptions | None = None) -> None:
    """Says which commands are heard, each at once, as a line of CSV.

    The first line is the header, said as soon as the model listens. What is wrong with the audio, but does not end the
    stream, is said on standard error.

    Args:
        export_dir: the export.
        keys: standard input; raw samples in its buffer.
        say: called with each line of the answer.
        options: where the audio comes from; standard input by default.

    Raises:
        InputError: there is no such audio.
    """
    options = options or StreamOptions()
    audio = _audio_of(options, keys)
    manifest, model = load_export(export_dir, "speech_commands")
    meanings = manifest["meanings"]
    rate = meanings["sample_rate"]
    # The last word is decided on in what follows it.
    silence = np.zeros(meanings["smoothing_frames"] * meanings["frame_samples"], np.float32)
    say(csv_line(["seconds", "label", "confidence"]))
    pieces = (pad_waveforms([piece]) for piece in itertools.chain(audio, [silence]))
    for results, _ in replay(model, pieces, start(model, 1)):
        for event in read_events(results, 0):
            say(csv_line([f"{event.sample / rate:.2f}", event.label, f"{event.confidence:.4f}"]))


def evaluate_export(export_dir: Path, data: str | None, say: Say) -> None:
    """Streams test audio through an export and tells its scores.

    Args:
        export_dir: the export.
        data: a dataset, of which the test split is heard, or a folder of labelled clips, which are all heard but for
            those that were trained on; the test split of what it was trained on by default.
        say: called with each line.

    Raises:
        InputError: the export or the audio cannot be used, or all of it is known from the training.
    """
    manifest, model = load_export(export_dir, "speech_commands")
    config, meanings = Config.from_dict(manifest["config"]), manifest["meanings"]
    corpus = evaluation_corpus(data, config, meanings["labels"], manifest["data"]["fingerprint"], say)
    fitted = (tuple(meanings[name]) for name in ("labels", "feature_mean", "feature_scale"))
    if data is not None:
        config = dataclasses.replace(config, data=data)
    metrics = evaluate(model, _detector(meanings), SpeechData(corpus, *fitted), config).metrics
    by_label = metrics["continuous"]["labels"].items()
    rows = [[label, *(f"{counts[name]:,}" for name in ("words", "hits", "false_alarms"))] for label, counts in by_label]
    show_table(["", "spoken", "recognised", "false alarms"], rows, say)
    for line in verdicts(metrics):
        say(line)


def _batches(inputs: Iterable[str]) -> Iterator[list[tuple[str, Audio]]]:
    """The files in their order, read as they are needed: short ones together, a long one alone."""
    batch: list[tuple[str, Audio]] = []
    for path in inputs:
        audio = _read(Path(path))
        is_long = _is_long(audio.waveform)
        if batch and (is_long or len(batch) == _TOGETHER):
            yield batch
            batch = []
        batch.append((path, audio))
        if is_long:
            yield batch
            batch = []
    if batch:
        yield batch


def _answers(model: Any, meanings: Mapping[str, Any], batch: Sequence[tuple[str, Audio]]) -> Iterator[list[str]]:
    """A row of the table for each file."""
    labels, rate = meanings["labels"], meanings["sample_rate"]
    waveforms = [audio.waveform for _, audio in batch]
    smoothing = meanings["smoothing_frames"]
    heard_out = [with_silence_after(waveform, smoothing) for waveform in waveforms]
    probabilities, events = _hear(model, heard_out, ClipPosterior(smoothing, len(labels)), rate)
    if not _is_long(waveforms[0]):
        probabilities = model.serving_default(**pad_waveforms(waveforms))["probabilities"].numpy()
    for (path, _), waveform, posterior, heard in zip(batch, waveforms, probabilities, events, strict=True):
        best = int(np.argmax(posterior))
        yield [
            path.encode(errors="surrogateescape").decode(errors="replace"),
            labels[best],
            f"{posterior[best]:.4f}",
            f"{len(waveform) / rate:.2f}",
            "; ".join(f"{event.label} at {event.sample / rate:.2f} s" for event in heard),
        ]


def _hear(
    model: Any, waveforms: Sequence[np.ndarray], clip: ClipPosterior, rate: int
) -> tuple[np.ndarray, list[list[Event]]]:
    """The posteriors [B, C] of whole clips and their events, from pieces of bounded size."""
    aggregate = clip.initial_state(len(waveforms))
    events: list[list[Event]] = [[] for _ in waveforms]
    for results, _ in replay(
        model, _side_by_side(waveforms, round(_CHUNK_SECONDS * rate)), start(model, len(waveforms))
    ):
        aggregate = clip.step(results["probabilities"], results["frame_count"], aggregate)
        for row, heard in enumerate(events):
            heard += read_events(results, row)
    return clip.result(aggregate).numpy(), events


def _side_by_side(waveforms: Sequence[np.ndarray], samples: int) -> Iterator[dict[str, np.ndarray]]:
    """Inputs of `step` with so many samples of each waveform; none where one is over."""
    for begin in range(0, max(map(len, waveforms)), samples):
        yield pad_waveforms([waveform[begin : begin + samples] for waveform in waveforms])


def _is_long(waveform: np.ndarray) -> bool:
    return len(waveform) > _LONG * SAMPLE_RATE


def _audio_of(options: StreamOptions, keys: TextIO) -> Iterator[np.ndarray]:
    """Pieces of what is to be heard."""
    if options.wav is not None:
        waveform = _read(options.wav).waveform
        if options.real_time:
            return at_pace(cut(waveform, round(_REAL_TIME_SECONDS * SAMPLE_RATE)))
        return cut(waveform, round(_CHUNK_SECONDS * SAMPLE_RATE))
    if keys.isatty():
        raise InputError(
            "received a terminal as standard input; expected raw audio through a pipe, or --wav FILE; try "
            "arecord -t raw -f S16_LE -r 16000 -c 1 | runnel stream EXPORT_DIR, or "
            "ffmpeg -i FILE -f s16le -ar 16000 -ac 1 - | runnel stream EXPORT_DIR"
        )
    return raw_audio(keys.buffer, options, _complain)


def _read(path: Path) -> Audio:
    """An audio file; what was done to its samples is said on standard error."""
    audio = read_audio(path)
    if audio.notes:
        _complain(f"{path}: {'; '.join(audio.notes)}")
    return audio


def _detector(meanings: Mapping[str, Any]) -> EventDetector:
    """The detector of an export, for scores at other thresholds than its own."""
    thresholds = [meanings["thresholds"].get(label, np.inf) for label in meanings["labels"]]
    frames = (meanings[name] for name in ("smoothing_frames", "refractory_frames", "frame_samples"))
    return EventDetector(thresholds, *frames)


def _complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")
