import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from runnel.apps.speech_commands import client
from runnel.apps.speech_commands.config import StreamOptions
from runnel.apps.speech_commands.evaluate import Evaluation
from runnel.apps.speech_commands.hear_sessions import read_events
from runnel.datasets.audio.load_speech import load_speech
from runnel.datasets.audio.speech_corpus import SpeechCorpus
from runnel.shared.errors import InputError

pytestmark = pytest.mark.usefixtures("_load_each_export_once")

RATE = 16_000


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def served(model: Any, waveform: np.ndarray) -> tuple[str, float]:
    outputs = model.serving_default(waveform=tf.constant(waveform[None]), length=tf.constant([len(waveform)]))
    return outputs["label"].numpy()[0].decode(), float(outputs["probabilities"].numpy().max())


def heard(model: Any, waveform: np.ndarray) -> list[tuple[float, str, float]]:
    """Seconds, label and confidence of the events, when all comes at once."""
    state = model.initial_state(batch_size=tf.constant(1))
    outputs = model.step(waveform=tf.constant(waveform[None]), length=tf.constant([len(waveform)]), **state)
    columns = (outputs[f"event_{name}"].numpy()[0] for name in ("sample", "label", "confidence"))
    return [(sample / RATE, label.decode(), confidence) for sample, label, confidence in zip(*columns, strict=True)]


@pytest.fixture(scope="session")
def speech(spoken: Callable) -> np.ndarray:
    """Six seconds with words in them, in whole 16-bit samples."""
    words = [spoken(label, seed=77, voice=1.01) for label in ("low", "high", "rise", "_unknown_", "low", "rise")]
    parts = [part for word in words for part in (np.zeros(RATE // 2, np.float32), word)]
    audio = np.concatenate([*parts, np.zeros(RATE, np.float32)])
    audio += np.random.default_rng(5).normal(scale=2e-3, size=len(audio)).astype(np.float32)
    return np.round(audio * 32768).astype(np.int16) / np.float32(32768)


@pytest.fixture(scope="session", autouse=True)
def _something_is_heard(recogniser: Any, speech: np.ndarray) -> None:
    """Tests that compare events need some."""
    assert len({label for _, label, _ in heard(recogniser, speech)}) >= 2


def int16(waveform: np.ndarray) -> bytes:
    return (waveform * 32768).astype("<i2").tobytes()


# === predict ===


def test_predict_says_label_and_events_of_each_file(
    trained: Any, recogniser: Any, runnel: Callable, tmp_path: Path, spoken: Callable, speech: np.ndarray
) -> None:
    waveforms = {"a.wav": spoken("high", 3), "b, c.flac": speech, "d.wav": spoken("low", 4), "e.wav": speech[:319]}
    for name, waveform in waveforms.items():
        soundfile.write(tmp_path / name, waveform, RATE, subtype="PCM_16")
    code, out, err = runnel("predict", trained.export, *waveforms)
    assert (code, err) == (0, "")
    header, *rows = table(out)
    assert header == ["file", "label", "probability", "seconds", "events"]
    assert [row[0] for row in rows] == list(waveforms)
    for name, label, probability, seconds, events in rows:
        waveform = soundfile.read(tmp_path / name, dtype="float32")[0]
        assert (label, float(probability)) == pytest.approx(served(recogniser, waveform), abs=1e-4)
        assert float(seconds) == pytest.approx(len(waveform) / RATE, abs=0.005)
        assert events == "; ".join(f"{label} at {at:.2f} s" for at, label, _ in heard(recogniser, waveform))
    assert rows[1][4]
    assert rows[3][1:3] == ["_silence_", "1.0000"]


def test_predict_hears_a_long_file_piece_by_piece(
    trained: Any, recogniser: Any, runnel: Callable, tmp_path: Path, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = np.concatenate([speech] * 6)
    assert len(long) > 30 * RATE
    soundfile.write(tmp_path / "short.wav", speech, RATE)
    soundfile.write(tmp_path / "long.wav", long, RATE)
    sizes: list[tuple[int, ...]] = []

    def watched(module: Any, pieces: Any, state: Any) -> Any:
        return replay(module, (sizes.append(piece["waveform"].shape) or piece for piece in pieces), state)

    replay = client.replay
    monkeypatch.setattr(client, "replay", watched)
    code, out, _ = runnel("predict", trained.export, "short.wav", "long.wav", "short.wav")
    assert code == 0
    rows = table(out)[1:]
    assert [row[0] for row in rows] == ["short.wav", "long.wav", "short.wav"]
    assert rows[0] == rows[2]
    assert (rows[1][1], float(rows[1][2])) == pytest.approx(served(recogniser, long), abs=1e-4)
    assert rows[1][4] == "; ".join(f"{label} at {at:.2f} s" for at, label, _ in heard(recogniser, long))
    assert {shape[0] for shape in sizes} == {1}
    assert max(shape[1] for shape in sizes) <= 5 * RATE


def test_predict_says_what_was_done_to_the_samples(
    trained: Any, runnel: Callable, tmp_path: Path, spoken: Callable
) -> None:
    word = np.concatenate([spoken("high", 3), np.zeros(RATE // 4, np.float32)])
    twice = np.interp(np.arange(len(word) * 2) / 2, np.arange(len(word)), word)
    soundfile.write(tmp_path / "mono.wav", word, RATE)
    soundfile.write(tmp_path / "stereo.wav", np.stack([twice, twice], axis=1), 2 * RATE)
    code, out, err = runnel("predict", trained.export, "mono.wav", "stereo.wav")
    mono, stereo = table(out)[1:]
    assert code == 0
    assert err == "stereo.wav: 2 channels averaged; resampled from 32,000 to 16,000 Hz\n"
    assert mono[1] == stereo[1]
    assert mono[3] == stereo[3]


# === stream ===


class Pipe(io.BytesIO):
    """Gives so many bytes at a time, as they arrive."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        super().__init__(content)
        self.sizes, self.reads = sizes, 0

    def read1(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read1(self.sizes[self.reads % len(self.sizes)])


def streamed(
    runnel: Callable, monkeypatch: pytest.MonkeyPatch, export: Path, content: io.BytesIO | bytes, *options: object
) -> tuple[int, str, str]:
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(source))
    return runnel("stream", export, *options)


def assert_heard(out: str, expected: list[tuple[float, str, float]], confidence: float = 2e-4) -> None:
    header, *rows = table(out)
    assert header == ["seconds", "label", "confidence"]
    assert [(row[0], row[1]) for row in rows] == [(f"{seconds:.2f}", label) for seconds, label, _ in expected]
    assert [float(row[2]) for row in rows] == pytest.approx([one[2] for one in expected], abs=confidence)


@pytest.mark.parametrize("sizes", [[1 << 16], [641, 1, 3, 999], [2, 1, 1]])
def test_stream_of_a_pipe_in_pieces_of_any_size(
    trained: Any, recogniser: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch, speech: np.ndarray, sizes: list
) -> None:
    if max(sizes) < 10:
        speech = speech[: RATE // 20]
    code, out, err = streamed(runnel, monkeypatch, trained.export, Pipe(int16(speech), sizes))
    assert (code, err) == (0, "")
    assert_heard(out, heard(recogniser, speech))


def test_stream_of_floats(
    trained: Any, recogniser: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch, speech: np.ndarray
) -> None:
    pipe = Pipe(speech.astype("<f4").tobytes(), [1001, 3])
    code, out, err = streamed(runnel, monkeypatch, trained.export, pipe, "--sample-format", "float32")
    assert (code, err) == (0, "")
    assert_heard(out, heard(recogniser, speech))


def test_floats_that_are_no_samples_are_told_once_and_do_not_end_the_stream(
    trained: Any, recogniser: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch, speech: np.ndarray
) -> None:
    bad = speech.copy()
    bad[[100, 9_000, 40_000]] = np.nan, np.inf, 3.0
    good = bad.copy()
    good[[100, 9_000, 40_000]] = 0.0, 0.0, 1.0
    pipe = Pipe(bad.astype("<f4").tobytes(), [4000])
    code, out, err = streamed(runnel, monkeypatch, trained.export, pipe, "--sample-format", "float32")
    assert code == 0
    assert err.splitlines() == [
        "NaN and infinite samples count as silence; expected float32 samples in [-1, 1]",
        "samples beyond [-1, 1] are clipped; expected float32 samples in [-1, 1]",
    ]
    assert_heard(out, heard(recogniser, good))


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_stream_at_another_rate(
    trained: Any, recogniser: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch, speech: np.ndarray, rate: int
) -> None:
    """The same as the whole recording resampled at once by librosa."""
    import librosa

    other = librosa.resample(speech, orig_sr=RATE, target_sr=rate, res_type="soxr_hq").clip(-1, 1).astype("<f4")
    back = librosa.resample(other, orig_sr=rate, target_sr=RATE, res_type="soxr_hq")
    pipe = Pipe(other.tobytes(), [1111, 40])
    options = ("--sample-format", "float32", "--rate", rate)
    code, out, err = streamed(runnel, monkeypatch, trained.export, pipe, *options)
    assert (code, err) == (0, "")
    assert_heard(out, heard(recogniser, back))


def test_bytes_that_are_no_whole_sample_are_told(
    trained: Any, recogniser: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch, speech: np.ndarray
) -> None:
    code, out, err = streamed(runnel, monkeypatch, trained.export, int16(speech) + b"\1")
    assert (code, err) == (0, "left out: 1 byte at the end, less than a sample of 2 bytes\n")
    assert_heard(out, heard(recogniser, speech))
    _, _, err = streamed(runnel, monkeypatch, trained.export, b"\0" * 3, "--sample-format", "float32")
    assert err == "left out: 3 bytes at the end, less than a sample of 4 bytes\n"


@pytest.mark.parametrize("content", [b"", b"\0\0", b"\0" * 64_000])
def test_stream_in_which_nothing_is_said_is_a_header(
    trained: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    assert streamed(runnel, monkeypatch, trained.export, content) == (0, "seconds,label,confidence\n", "")


def test_each_event_is_said_before_more_is_read(trained: Any, recogniser: Any, speech: np.ndarray) -> None:
    said: list[str] = []
    samples = 0
    expected = heard(recogniser, speech)

    class Microphone(Pipe):
        def read1(self, size: int | None = -1, /) -> bytes:
            nonlocal samples
            assert said[0] == "seconds,label,confidence"
            assert len(said) - 1 == sum(seconds * RATE <= samples for seconds, _, _ in expected)
            samples += 320
            return super().read1(size)

    client.stream(trained.export, io.TextIOWrapper(Microphone(int16(speech), [640])), said.append)
    assert len(said) - 1 == len(expected)


def test_a_file_is_heard_as_fast_as_possible_or_at_the_pace_of_the_clock(
    trained: Any,
    recogniser: Any,
    runnel: Callable,
    monkeypatch: pytest.MonkeyPatch,
    speech: np.ndarray,
    tmp_path: Path,
) -> None:
    soundfile.write(tmp_path / "speech.wav", speech, RATE, subtype="PCM_16")
    fast = streamed(runnel, monkeypatch, trained.export, b"unread", "--wav", "speech.wav")
    assert (fast[0], fast[2]) == (0, "")
    assert_heard(fast[1], heard(recogniser, speech))

    pieces: list[int] = []
    monkeypatch.setattr(client, "at_pace", lambda audio: (pieces.append(len(piece)) or piece for piece in audio))
    live = streamed(runnel, monkeypatch, trained.export, b"unread", "--wav", "speech.wav", "--real-time")
    assert_heard(live[1], heard(recogniser, speech))
    assert set(pieces[:-1]) == {320}
    assert sum(pieces) == len(speech)


def test_a_file_of_another_rate_is_said(
    trained: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch, speech: np.ndarray, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "speech.wav", speech, 22_050)
    code, _, err = streamed(runnel, monkeypatch, trained.export, b"", "--wav", "speech.wav")
    assert (code, err) == (0, "speech.wav: resampled from 22,050 to 16,000 Hz\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_command_at_the_very_end_is_heard(
    trained: Any,
    recogniser: Any,
    runnel: Callable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    speech: np.ndarray,
) -> None:
    at, first, _ = heard(recogniser, speech)[0]
    waveform = speech[: round(at * RATE) - 320]  # a frame too short for it
    assert not heard(recogniser, waveform)
    soundfile.write(tmp_path / "cut.wav", waveform, RATE, subtype="PCM_16")
    _, out, _ = runnel("predict", trained.export, "cut.wav")
    (_, (*_, events)) = table(out)
    assert events.startswith(f"{first} at ")
    _, out, _ = streamed(runnel, monkeypatch, trained.export, b"", "--wav", "cut.wav")
    (_, (seconds, label, _)) = table(out)
    assert events == f"{label} at {seconds} s"


def test_a_terminal_is_told_how_to_send_audio(
    trained: Any, tmp_path: Path, speech: np.ndarray, recogniser: Any
) -> None:
    with pytest.raises(InputError, match=r"arecord -t raw -f S16_LE -r 16000 -c 1 \| runnel stream EXPORT_DIR"):
        client.stream(trained.export, Terminal(), pytest.fail)
    soundfile.write(tmp_path / "speech.wav", speech, RATE, subtype="PCM_16")
    said: list[str] = []
    client.stream(trained.export, Terminal(), said.append, StreamOptions(wav=tmp_path / "speech.wav"))
    assert_heard("\n".join(said), heard(recogniser, speech))


# === a service ===


def test_a_process_with_tensorflow_alone_hears_the_same(
    trained: Any,
    recogniser: Any,
    tmp_path: Path,
    run_alone: Callable[..., subprocess.CompletedProcess],
    speech: np.ndarray,
) -> None:
    """Sessions of unequal length in one batch, begun here and gone on with there: as each alone and at once."""
    long = np.concatenate([speech] * 3)
    sessions = [long, speech[7_000:], speech[:1], speech[:0], long[::-1].copy()]
    files = [tmp_path / name for name in ("sessions.npz", "state.npz", "results.json")]
    half = len(speech) + 77
    np.savez(files[0], *(session[half:] for session in sessions))
    waveform = np.stack([np.pad(session[:half], (0, max(half - len(session), 0))) for session in sessions])
    length = np.array([min(half, len(session)) for session in sessions], np.int32)
    state = recogniser.initial_state(batch_size=tf.constant(len(sessions)))
    begun = recogniser.step(waveform=tf.constant(waveform), length=tf.constant(length), **state)
    np.savez(files[1], **{name: begun[name].numpy() for name in state})

    run_alone("tensorflow_only_client.py", trained.export / "saved_model", *files)

    results = json.loads(files[2].read_text())
    assert results["sizes"] == [len(sessions) * trained.manifest["state"]["bytes_per_session"]]
    for row, session in enumerate(sessions):
        before = [(event.label, event.sample, event.confidence) for event in read_events(as_numpy(begun), row)]
        events = [*before, *results["events"][row]]
        expected = heard(recogniser, session)
        assert [(sample / RATE, label) for label, sample, _ in events] == [event[:2] for event in expected]
        assert [event[2] for event in events] == pytest.approx([event[2] for event in expected], abs=1e-5)
        assert begun["frame_count"].numpy()[row] + results["frames"][row] == len(session) // 320
    assert sum(map(len, results["events"])) >= 4


def as_numpy(outputs: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in outputs.items()}


# === evaluate ===


def test_evaluate_repeats_what_training_measured(trained: Any, runnel: Callable) -> None:
    code, out, err = runnel("evaluate", trained.export)
    assert (code, err) == (0, "")
    continuous = trained.manifest["metrics"]["continuous"]
    header, *rows = table(out)
    assert header == ["", "spoken", "recognised", "false alarms"]
    measured = {row[0]: [int(cell) for cell in row[1:]] for row in rows if row[0] in continuous["labels"]}
    assert measured == {
        label: [counts["words"], counts["hits"], counts["false_alarms"]]
        for label, counts in continuous["labels"].items()
    }
    assert f"of {continuous['words']} commands are recognised" in out
    assert f"Of {trained.manifest['metrics']['clips']['clips']} clips" in out


class EnoughError(Exception):
    """The rest would only take time."""


@pytest.fixture
def evaluated_on(trained: Any, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """What an export would be evaluated on, and what is said before; nothing is measured."""
    asked = []

    def watched(module: Any, detector: Any, data: Any, config: Any) -> Evaluation:
        thresholds = trained.manifest["meanings"]["thresholds"]
        np.testing.assert_allclose(detector.thresholds, [thresholds.get(label, np.inf) for label in data.labels])
        asked.append(data.corpus)
        raise EnoughError

    def evaluated_on(data: Any, export: Path = trained.export) -> tuple[SpeechCorpus, list[str]]:
        monkeypatch.setattr(client, "evaluate", watched)
        said: list[str] = []
        with pytest.raises(EnoughError):
            client.evaluate_export(export, None if data is None else str(data), said.append)
        return asked.pop(), said

    return evaluated_on


@pytest.fixture
def other(tmp_path: Path, write_clips: Callable) -> Path:
    """Clips of other people."""
    return write_clips(tmp_path / "other", ("kim", "lea"), seed=9)


def clips_of(corpus: SpeechCorpus) -> list[tuple[str, bytes]]:
    clips = corpus.splits["test"]
    return sorted((label, waveform.tobytes()) for label, waveform in zip(clips.labels, clips.waveforms, strict=True))


def test_all_clips_of_a_folder_are_tested(other: Path, trained: Any, evaluated_on: Callable) -> None:
    corpus, said = evaluated_on(other)
    assert said == []
    assert corpus.labels == ("high", "low", "rise", "_unknown_", "_silence_")
    assert len(corpus.splits["test"].labels) == 16
    assert corpus.splits["train"].labels == load_speech(trained.clips).splits["train"].labels
    assert sum(map(len, corpus.noises["test"])) == 20 * RATE


def test_labels_that_the_export_does_not_know_are_unknown_words(other: Path, evaluated_on: Callable) -> None:
    (other / "low").rename(other / "deep")
    (other / "_background_noise_" / "hiss.wav").unlink()
    corpus, said = evaluated_on(other)
    assert said == [
        "no background recordings: noises are generated in their place",
        "the export does not know these labels, which count as unknown words: deep",
    ]
    assert sorted(corpus.splits["test"].labels) == ["_unknown_"] * 8 + ["high"] * 4 + ["rise"] * 4
    assert sum(map(len, corpus.noises["test"])) == 20 * 60 * RATE


def test_clips_of_the_training_are_left_out(
    trained: Any, other: Path, evaluated_on: Callable, runnel: Callable
) -> None:
    """A copy of the whole folder leaves its test split; so does one with other clips beside, and these."""
    known = load_speech(trained.clips)
    copy = other.with_name("copy")
    shutil.copytree(trained.clips, copy)
    corpus, said = evaluated_on(copy)
    expected = clips_of(known)
    assert clips_of(corpus) == expected
    assert said == [f"left out: {80 - len(expected)} clips that the training used"]
    np.testing.assert_array_equal(corpus.noises["test"], known.noises["test"])

    new = clips_of(evaluated_on(other)[0])
    for file in other.glob("*/*_*_*.wav"):
        shutil.copy(file, copy / file.parent.name)
    assert clips_of(evaluated_on(copy)[0]) == sorted(expected + new)

    only_known = other.with_name("known")
    for label, waveform in zip(known.splits["train"].labels, known.splits["train"].waveforms, strict=True):
        (only_known / label).mkdir(parents=True, exist_ok=True)
        soundfile.write(only_known / label / f"{len(list(only_known.glob('*/*')))}.wav", waveform, RATE)
    code, out, err = runnel("evaluate", trained.export, "--data", only_known)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "known holds nothing but clips that clips, the audio of the training, holds too" in err


def test_the_clips_of_the_training_are_evaluated_by_their_test_split(
    trained: Any, evaluated_on: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained.clips.parent)
    for data in (None, trained.clips, "clips", "run/../clips"):
        corpus, said = evaluated_on(data)
        assert corpus.fingerprint == trained.manifest["data"]["fingerprint"]
        assert said == []


def test_a_dataset_is_evaluated_by_its_test_split(
    trained: Any, tmp_path: Path, write_clips: Callable, evaluated_on: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_speech(write_clips(tmp_path / "o", seed=4))

    def load(source: str, commands: Any = ()) -> SpeechCorpus:
        return dataset if source == "tfds:o" else load_speech(source, commands)

    monkeypatch.setattr("runnel.apps.speech_commands.evaluation_corpus.load_speech", load)
    corpus, said = evaluated_on("tfds:o")
    assert clips_of(corpus) == clips_of(dataset)
    assert said == list(dataset.notes)


def test_clips_that_have_changed_since_the_training(
    trained: Any, tmp_path: Path, other: Path, evaluated_on: Callable, runnel: Callable
) -> None:
    """Their splits may lie elsewhere now, so that the test split was trained on."""
    export = tmp_path / "export"
    shutil.copytree(trained.export, export)
    manifest = (export / "manifest.json").read_text()
    (export / "manifest.json").write_text(manifest.replace(trained.manifest["data"]["fingerprint"], "another"))
    for options in ([], ["--data", trained.clips]):
        code, out, err = runnel("evaluate", export, *options)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "clips have changed since the training" in err
    corpus, said = evaluated_on(other, export)
    assert len(corpus.splits["test"].labels) == 16
    assert said == [f"{trained.clips} has changed since the training; all clips that it holds now are left out"]


def test_evaluate_where_the_clips_of_the_training_have_gone(
    trained: Any, tmp_path: Path, other: Path, evaluated_on: Callable
) -> None:
    export = tmp_path / "export"
    shutil.copytree(trained.export, export)
    manifest = (export / "manifest.json").read_text()
    (export / "manifest.json").write_text(manifest.replace(str(trained.clips), str(tmp_path / "gone")))
    corpus, said = evaluated_on(other, export)
    assert len(corpus.splits["test"].labels) == 16
    assert said == [
        f"{tmp_path / 'gone'}, the audio of the training, is not there: clips of {other} may have been trained on"
    ]


@pytest.mark.parametrize("verb", ["predict", "stream", "evaluate"])
def test_a_damaged_export_is_refused(
    trained: Any, runnel: Callable, tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\0\0")))
    shutil.copytree(trained.export, tmp_path / "export")
    (tmp_path / "export" / "saved_model" / "variables" / "variables.index").unlink()
    code, out, err = runnel(verb, "export", *(["a.wav"] if verb == "predict" else []))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "variables.index is missing or damaged" in err


def test_stream_as_a_program_answers_while_the_pipe_is_open(trained: Any, recogniser: Any, speech: np.ndarray) -> None:
    expected = heard(recogniser, speech)
    command = [sys.executable, "-m", "runnel.apps.cli", "stream", str(trained.export)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"seconds,label,confidence\n"
        process.stdin.write(int16(speech)[:-1])
        process.stdin.flush()
        lines = [process.stdout.readline() for _ in expected]
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait() == 0
    assert [line.split(b",")[1].decode() for line in lines] == [label for _, label, _ in expected]
