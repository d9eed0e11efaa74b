"""Any pairs of texts will do: of prompts and replies the same command makes a bot."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

GREETINGS = {"hello": "hi", "how are you": "fine", "good night": "sleep well", "thank you": "welcome", "bye": "see you"}
NAMES = ("Ada", "Ben", "Cleo", "Dora", "Emil", "Finn", "Gina", "Hugo", "Iris", "Jan", "Kim", "Lea", "Max", "Nora")


@pytest.mark.slow
def test_of_prompts_and_replies_the_same_command_makes_a_bot(
    tmp_path: Path, train_in_process: Callable[..., str], runnel: Callable, write_tsv: Callable, options: tuple
) -> None:
    pairs = [(f"{one}, {name}", f"{other}!") for one, other in GREETINGS.items() for name in NAMES]
    tsv = write_tsv(tmp_path / "replies.tsv", pairs)
    run = ["--data", tsv, "--attention", "none", "--epochs", "2", "--out", tmp_path / "run"]
    said = train_in_process("translation", *options, *run)
    assert "exported to" in said
    assert "While the speaker speaks" not in said

    code, out, err = runnel("predict", tmp_path / "run" / "export", "hello, Ada", "good night, Max", "thank you, Kim")
    assert (code, err) == (0, "")
    assert [row[1] for row in csv.reader(io.StringIO(out))][1:] == ["hi!", "sleep well!", "welcome!"]
