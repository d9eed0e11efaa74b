import io
import re

import pytest
from rich.console import Console

from runnel.shared.training.progress import Progress


def shown(terminal: bool, batches: int | None = 3, first_batch: int = 0) -> str:
    """What two epochs of three batches show, the first beginning at `first_batch`."""
    output = io.StringIO()
    progress = Progress(Console(file=output, force_terminal=terminal, width=100))
    progress.set_params({"epochs": 2, "steps": batches})
    progress.on_train_begin()
    for epoch, start in [(0, first_batch), (1, 0)]:
        progress.on_epoch_begin(epoch)
        for batch in range(start, 3):
            progress.on_train_batch_end(batch, {"loss": 0.5} if batch == 1 else {})
        progress.on_epoch_end(epoch, {"loss": 0.123456, "val_loss": 12345.678})
    progress.on_train_end()
    return output.getvalue()


@pytest.mark.parametrize(("batches", "first_batch"), [(3, 0), (3, 2), (None, 0)])
def test_a_pipe_gets_one_plain_line_an_epoch(batches: int | None, first_batch: int) -> None:
    lines = shown(terminal=False, batches=batches, first_batch=first_batch).splitlines()
    assert len(lines) == 2
    for number, line in enumerate(lines, 1):
        assert re.fullmatch(rf"epoch {number}/2  loss 0\.1235  val_loss 1\.235e\+04  \d+\.\d s", line)


def test_a_terminal_gets_a_bar_and_the_same_lines() -> None:
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown(terminal=True))
    for number in (1, 2):
        assert re.search(rf"epoch {number}/2  loss 0\.1235  val_loss", text)
    assert "━" in text


def test_a_second_training_starts_a_new_bar() -> None:
    output = io.StringIO()
    progress = Progress(Console(file=output))
    progress.set_params({"epochs": 1, "steps": 1})
    for _ in range(2):
        progress.on_train_begin()
        progress.on_epoch_begin(0)
        progress.on_train_end()
    progress.on_epoch_end(0, {})
    assert output.getvalue().count("epoch 1/1") == 1
