from pathlib import Path

import numpy as np
import pytest

from runnel.datasets.audio.read_audio import read_audio
from runnel.datasets.spoken_commands.say import main, say


def test_texts_are_spoken_one_after_the_other_with_pauses() -> None:
    both, one = say(["stop", "go"]), say(["stop"])
    assert len(both) > len(one) + 8000
    assert np.abs(one[:8000]).max() == np.abs(one[-8000:]).max() == 0
    assert 0.01 < np.abs(one).max() <= 1
    np.testing.assert_array_equal(both[: len(one)], one)
    assert len(say(["stop"], speaker=1)) != len(one)


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    assert main([str(tmp_path / "stop.wav"), "stop"]) == 0
    audio = read_audio(tmp_path / "stop.wav")
    assert (audio.rate, audio.channels) == (16_000, 1)
    np.testing.assert_allclose(audio.waveform, say(["stop"]), atol=1e-4)


@pytest.mark.parametrize("options", [("--speaker", "100"), ("--speaker", "-1")])
def test_a_speaker_that_there_is_not(tmp_path: Path, capsys: pytest.CaptureFixture, options: tuple[str, str]) -> None:
    assert main([str(tmp_path / "stop.wav"), "stop", *options]) == 2
    assert "expected a number from 0 to 99" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_there_is_not(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main([str(tmp_path / "none" / "stop.wav"), "stop"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
