"""Input that cannot be used: exit code 2, one line that says how to mend it, and nothing left behind."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.usefixtures("_load_each_export_once")

RATE = 16_000
TRAIN = ("--units", "4", "--epochs", "1", "--batch-size", "2", "--baseline-epochs", "0", "--out", "run")


def write(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype, format="WAV")
    return path


def cut_off(path: Path, word: np.ndarray) -> None:
    content = write(path, word).read_bytes()
    path.write_bytes(content[: len(content) // 2])


def with_value(word: np.ndarray, value: float) -> np.ndarray:
    changed = word.astype(np.float32)
    changed[len(word) // 2] = value
    return changed


BAD: dict[str, tuple[Callable[[Path, np.ndarray], object], str]] = {
    "zero bytes": (lambda path, word: path.write_bytes(b""), "is empty (0 bytes)"),
    "cut off": (cut_off, "is cut off or damaged"),
    "a header alone": (lambda path, word: path.write_bytes(write(path, word).read_bytes()[:20]), "is not audio"),
    "text": (lambda path, word: path.write_text("The quick brown fox. " * 99), "is not audio that can be read"),
    "NaN": (lambda path, word: write(path, with_value(word, np.nan), subtype="FLOAT"), "NaN or infinity in 1 of "),
    "infinity": (
        lambda path, word: write(path, with_value(word, np.inf), subtype="DOUBLE"),
        "NaN or infinity in 1 of ",
    ),
    "integers as floats": (lambda path, word: write(path, word * 32768, subtype="FLOAT"), "floats in [-1, 1]"),
    "2 kHz": (lambda path, word: write(path, word, 2_000), "sample rate of 2,000 Hz"),
}
STRANGE: dict[str, tuple[Callable[[Path, np.ndarray], object], str]] = {
    "stereo": (lambda path, word: write(path, np.stack([word, word], axis=1)), "2 channels averaged"),
    "8 kHz": (lambda path, word: write(path, word[::2], 8_000), "resampled from 8,000 to 16,000 Hz"),
    "44.1 kHz": (lambda path, word: write(path, np.repeat(word, 3), 44_100), "resampled from 44,100 to 16,000 Hz"),
    "24-bit": (lambda path, word: write(path, word, subtype="PCM_24"), ""),
    "8-bit": (lambda path, word: write(path, word, subtype="PCM_U8"), ""),
    "float": (lambda path, word: write(path, word, subtype="FLOAT"), ""),
    "clipping": (lambda path, word: write(path, word * 9, subtype="FLOAT"), "values beyond [-1, 1] clipped"),
    "all zero": (lambda path, word: write(path, np.zeros(RATE)), ""),
    "no samples": (lambda path, word: write(path, word[:0]), ""),
}


@pytest.fixture(autouse=True)
def _nothing_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))


@pytest.fixture
def word(spoken: Callable) -> np.ndarray:
    return spoken("high", 5)


@pytest.mark.parametrize("verb", ["predict", "stream"])
@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_heard(
    trained: Any, runnel: Callable, tmp_path: Path, word: np.ndarray, case: str, verb: str
) -> None:
    make, part = BAD[case]
    make(tmp_path / "bad.wav", word)
    write(tmp_path / "good.wav", word)
    inputs = ["good.wav", "bad.wav"] if verb == "predict" else ["--wav", "bad.wav"]
    code, out, err = runnel(verb, trained.export, *inputs)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: bad.wav ")
    assert part in err


@pytest.mark.parametrize("verb", ["predict", "stream"])
@pytest.mark.parametrize("path", ["nowhere.wav", ".", ""])
def test_a_path_that_is_no_file(trained: Any, runnel: Callable, verb: str, path: str) -> None:
    code, out, err = runnel(verb, trained.export, *([path] if verb == "predict" else ["--wav", path]))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "cannot be read" in err


@pytest.mark.parametrize("case", STRANGE)
def test_a_file_that_is_made_fit_says_so(
    trained: Any, runnel: Callable, tmp_path: Path, word: np.ndarray, case: str
) -> None:
    make, note = STRANGE[case]
    make(tmp_path / "strange.wav", word)
    expected = f"strange.wav: {note}\n" if note else ""
    code, out, err = runnel("predict", trained.export, "strange.wav")
    assert (code, err) == (0, expected)
    events = out.splitlines()[1].split(",")[4]
    code, out, err = runnel("stream", trained.export, "--wav", "strange.wav")
    assert (code, err) == (0, expected)
    lines = (line.split(",") for line in out.splitlines()[1:])
    assert "; ".join(f"{label} at {seconds} s" for seconds, label, _ in lines) == events


@pytest.mark.parametrize("case", BAD)
def test_train_refuses_a_folder_with_such_a_file(
    runnel: Callable, tmp_path: Path, write_clips: Callable, word: np.ndarray, case: str
) -> None:
    make, part = BAD[case]
    write_clips(tmp_path / "clips", ("ada", "ben"))
    make(tmp_path / "clips" / "low" / "low_ada_7.wav", word)
    code, out, err = runnel("train", "speech_commands", "--data", "clips", *TRAIN)
    assert (code, err.count("\n")) == (2, 1), (out, err)
    assert "1 of 18 audio files cannot be used; the first: clips/low/low_ada_7.wav" in err
    assert part in err
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]


def test_train_says_what_it_did_to_strange_files(
    runnel: Callable, tmp_path: Path, write_clips: Callable, word: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: Any) -> None:
        raise KeyboardInterrupt

    write_clips(tmp_path / "clips")
    for index, (make, _) in enumerate(STRANGE.values()):
        make(tmp_path / "clips" / "high" / f"high_kim_{index}.wav", word)
    monkeypatch.setattr("runnel.apps.speech_commands.train.build_model", stop)
    code, out, err = runnel("train", "speech_commands", "--data", "clips", *TRAIN)
    assert (code, err) == (130, "")
    for note in {note for _, note in STRANGE.values()} - {""}:
        assert f"{note}: 1 file\n" in out
    assert "left out: 1 clip without any samples" in out


def no_audio(folder: Path) -> None:
    (folder / "go").mkdir()
    (folder / "go" / "notes.txt").write_text("none yet")


def one_label(folder: Path, word: np.ndarray) -> None:
    for number in range(9):
        write(folder / "go" / f"{number}.wav", word * (1 - number / 20))


@pytest.mark.parametrize(
    ("make", "source", "part"),
    [
        (lambda folder, word: None, "nowhere", "'nowhere' is neither a folder here nor a dataset of speech"),
        (lambda folder, word: None, "", "neither a folder here"),
        (lambda folder, word: write(folder / "one.wav", word), "one.wav", "neither a folder here"),
        (lambda folder, word: None, "tfds:", "tfds:"),
        (lambda folder, word: no_audio(folder), ".", "holds no audio files of commands"),
        (one_label, ".", "expected two labels or more"),
        (lambda folder, word: write(folder / "go" / "long.wav", np.tile(word, 40)), ".", "at most 10 s"),
        (lambda folder, word: write(folder / "a" / "go" / "1.wav", word), ".", "stands two folders deep"),
    ],
)
def test_clips_that_cannot_be_learned_from(
    runnel: Callable, tmp_path: Path, word: np.ndarray, make: Callable, source: str, part: str
) -> None:
    make(tmp_path, word)
    there = sorted(tmp_path.rglob("*"))
    code, out, err = runnel("train", "speech_commands", "--data", source, *TRAIN)
    assert (code, err.count("\n")) == (2, 1), (out, err)
    assert part in err, err
    assert sorted(tmp_path.rglob("*")) == there


def test_a_command_that_is_not_there(runnel: Callable, tmp_path: Path, write_clips: Callable) -> None:
    write_clips(tmp_path / "clips", ("ada",))
    code, _, err = runnel("train", "speech_commands", "--data", "clips", "--commands", "low", "go", *TRAIN)
    assert (code, err.count("\n")) == (2, 1)
    assert "clips has no clips of 'go'; expected commands among 'high', 'low', 'rise'" in err


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--units", 0], "received --units 0; expected at least 1"),
        (["--dropout", 1], "--dropout 1.0"),
        (["--cell", "rnn"], "'rnn'"),
        (["--bands", 3], "received --bands 3; expected at least 8"),
        (["--init-from", "nowhere"], "nowhere"),
        (["--wings", 2], "--wings"),
    ],
)
def test_options_that_cannot_be(runnel: Callable, tmp_path: Path, options: list, part: str) -> None:
    code, out, err = runnel("train", "speech_commands", "--data", "nowhere", "--out", "run", *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert part in err, err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--rate", 3_999], "received --rate 3999; expected 4000 to 384000"),
        (["--rate", 16_000.5], "--rate"),
        (["--sample-format", "int24"], "'int24'"),
        (["--real-time"], "received --real-time without --wav"),
        (["--wav", "a.wav", "--rate", 8_000], "received --rate or --sample-format with --wav"),
        (["--wav", "a.wav", "--sample-format", "float32"], "received --rate or --sample-format with --wav"),
        (["--wav"], "--wav"),
        (["a.wav"], "a.wav"),
        (["--wings"], "--wings"),
    ],
)
def test_options_of_a_stream_that_cannot_be(trained: Any, runnel: Callable, options: list, part: str) -> None:
    code, out, err = runnel("stream", trained.export, *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert part in err, err


def test_a_wav_file_on_standard_input(
    trained: Any, runnel: Callable, tmp_path: Path, word: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = write(tmp_path / "a.wav", word).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    code, out, err = runnel("stream", trained.export)
    assert (code, out, err.count("\n")) == (2, "seconds,label,confidence\n", 1)
    assert "it begins with RIFF" in err
    assert "--wav FILE" in err


@pytest.mark.parametrize("source", ["nowhere", "strangers", "silent", "damaged"])
def test_evaluate_refuses(
    trained: Any, runnel: Callable, tmp_path: Path, word: np.ndarray, spoken: Callable, source: str
) -> None:
    write(tmp_path / "strangers" / "go" / "1.wav", word)
    write(tmp_path / "silent" / "high" / "1.wav", np.zeros(RATE))
    cut_off(write(tmp_path / "damaged" / "high" / "1.wav", word), word)
    code, out, err = runnel("evaluate", trained.export, "--data", source)
    error = err.splitlines()[-1]
    assert code == 2
    assert error.startswith("error: ")
    assert source in error
    assert "recognised" not in out


@pytest.mark.parametrize("verb", ["predict", "stream", "evaluate"])
def test_what_is_no_export(runnel: Callable, tmp_path: Path, verb: str) -> None:
    (tmp_path / "export").mkdir()
    code, out, err = runnel(verb, "export", *(["a.wav"] if verb == "predict" else []))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no readable manifest.json" in err


def test_an_export_of_another_application(runnel: Callable, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "manifest.json").write_text(json.dumps({"application": "chess", "schema_version": 1}))
    code, out, err = runnel("stream", "export", "--wav", "a.wav")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "'chess'" in err
