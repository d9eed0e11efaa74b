import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from training.toy_problem import BATCHES, Calls, ToyProblem

from runnel.shared.errors import InputError
from runnel.shared.training.averaged_weights import AveragedWeights
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.history import History
from runnel.shared.training.variables import load_weights

TESTS = Path(__file__).parent.parent


def interrupt_at(number: int) -> Callable[[int], None]:
    def interrupt(call: int) -> None:
        if call == number:
            raise KeyboardInterrupt

    return interrupt


def positions(folder: Path) -> list[int]:
    return sorted(int(item.name.removeprefix("step-")) for item in folder.iterdir())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, History, str]:
    """What the toy problem ends with when nothing interrupts it: digest, history, log."""
    folder = tmp_path_factory.mktemp("whole")
    problem = ToyProblem()
    history = problem.fit(folder / "checkpoints", callbacks=callbacks(problem, folder))
    return problem.digest(), history, (folder / "log.csv").read_text()


def callbacks(problem: ToyProblem, folder: Path) -> list[keras.callbacks.Callback]:
    return [
        Calls("on_epoch_begin", lambda call: problem.level.assign(0.0)),
        keras.callbacks.CSVLogger(folder / "log.csv", append=True),
        keras.callbacks.EarlyStopping(patience=5),
    ]


@pytest.mark.slow
def test_sigkill_at_random_moments_gives_bit_equal_weights(tmp_path: Path) -> None:
    command = [sys.executable, str(TESTS / "training" / "killed_training.py"), str(tmp_path), "5", "3"]
    environment = os.environ | {"PYTHONPATH": str(TESTS), "TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": str(tmp_path)}
    subprocess.run(command, check=True, env=environment)
    whole, killed = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("whole", "killed"))
    assert killed["digest"] == whole["digest"]
    assert killed["epochs"] == whole["epochs"]
    assert killed["log"] == whole["log"]
    assert whole["finished"]
    assert whole["reports"] == []
    resumed = [line for line in killed["reports"] if line.startswith("continuing")]
    assert len(set(resumed)) >= 3, "the kills left too little to resume from"


@pytest.mark.parametrize(
    ("hook", "number"),
    [
        ("on_epoch_begin", 0),
        ("on_epoch_begin", 1),
        ("on_train_batch_begin", 17),
        ("on_train_batch_end", 0),
        ("on_train_batch_end", 2 * BATCHES - 1),
        ("on_epoch_end", 1),
        ("validate", 1),
    ],
)
def test_ctrl_c_anywhere_and_a_resume_end_the_same(
    tmp_path: Path, whole: tuple[str, History, str], hook: str, number: int
) -> None:
    problem, interrupt, calls = ToyProblem(), interrupt_at(number), iter(range(100))

    def validate() -> dict[str, float]:
        interrupt(next(calls))
        return problem.validate()

    interrupting = {"validate": validate} if hook == "validate" else {}
    last = [] if hook == "validate" else [Calls(hook, interrupt)]
    with pytest.raises(KeyboardInterrupt):
        problem.fit(tmp_path / "checkpoints", callbacks=[*callbacks(problem, tmp_path), *last], **interrupting)

    resumed, lines = ToyProblem(), []
    history = resumed.fit(
        tmp_path / "checkpoints", callbacks=callbacks(resumed, tmp_path), report=lambda line: lines.append(line)
    )
    assert len(lines) == 1
    assert lines[0].startswith("continuing after step")
    assert (resumed.digest(), history, (tmp_path / "log.csv").read_text()) == whole


def test_ctrl_c_while_the_averages_leave_the_model_saves_the_raw_weights(
    tmp_path: Path, whole: tuple[str, History, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*positional: object) -> None:
        raise KeyboardInterrupt

    problem = ToyProblem()
    with monkeypatch.context() as patch:
        patch.setattr(AveragedWeights, "__exit__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            problem.fit(tmp_path / "checkpoints", callbacks=callbacks(problem, tmp_path))
    resumed = ToyProblem()
    history = resumed.fit(tmp_path / "checkpoints", callbacks=callbacks(resumed, tmp_path))
    assert (resumed.digest(), history) == whole[:2]


def test_ctrl_c_keeps_every_batch(tmp_path: Path) -> None:
    problem = ToyProblem()
    with pytest.raises(KeyboardInterrupt):
        problem.fit(tmp_path, callbacks=[Calls("on_train_batch_end", interrupt_at(BATCHES + 3))])
    assert positions(tmp_path) == [BATCHES, BATCHES + 4]


@pytest.mark.parametrize("append", [True, False])
def test_the_log_has_each_epoch_once_after_a_kill_between_log_and_checkpoint(tmp_path: Path, append: bool) -> None:
    log = tmp_path / "log.csv"
    first = ToyProblem()
    with pytest.raises(RuntimeError):
        first.fit(
            tmp_path / "checkpoints",
            callbacks=[keras.callbacks.CSVLogger(log, append=append), Calls("on_epoch_end", fail_at(1))],
        )
    assert len(log.read_text().splitlines()) == 3
    second = ToyProblem()
    second.fit(tmp_path / "checkpoints", callbacks=[keras.callbacks.CSVLogger(log, append=append)])
    rows = log.read_text().splitlines()
    assert rows[0] == "epoch,absolute,learning_rate,loss,val_loss"
    assert [row.split(",")[0] for row in rows[1:]] == ["0", "1", "2"]


def fail_at(number: int) -> Callable[[int], None]:
    def fail(call: int) -> None:
        if call == number:
            raise RuntimeError

    return fail


def test_a_damaged_newest_checkpoint_changes_nothing_but_a_line(
    tmp_path: Path, whole: tuple[str, History, str]
) -> None:
    problem = ToyProblem()
    with pytest.raises(KeyboardInterrupt):
        problem.fit(
            tmp_path / "checkpoints",
            callbacks=[*callbacks(problem, tmp_path), Calls("on_train_batch_end", interrupt_at(20))],
        )
    newest = tmp_path / "checkpoints" / f"step-{21:08d}" / "arrays.npz"
    newest.write_bytes(newest.read_bytes()[:-100])
    resumed, lines = ToyProblem(), []
    history = resumed.fit(
        tmp_path / "checkpoints", callbacks=callbacks(resumed, tmp_path), report=lambda line: lines.append(line)
    )
    assert "step-00000021 is damaged" in lines[0]
    assert lines[1:] == [f"continuing after step {BATCHES} (epoch 2, 0 batches done)"]
    assert (resumed.digest(), history, (tmp_path / "log.csv").read_text()) == whole


def scripted(values: list[float]) -> Callable[[], dict[str, float]]:
    remaining = iter(values)
    return lambda: {"loss": next(remaining)}


@pytest.mark.parametrize(("hook", "number"), [("on_epoch_begin", 2), ("on_train_batch_end", 2 * BATCHES + 5)])
def test_early_stopping_goes_on_counting_after_a_resume(tmp_path: Path, hook: str, number: int) -> None:
    # With min_delta 0.5 the best stays 3.0: no improvement in epochs 1, 2, 3, and patience ends with the third.
    values = [3.0, 2.9, 2.8, 2.7, 2.6, 2.5]
    stopper = {"patience": 3, "min_delta": 0.5}
    problem = ToyProblem(epochs=6)
    with pytest.raises(KeyboardInterrupt):
        problem.fit(
            tmp_path,
            validate=scripted(values),
            callbacks=[keras.callbacks.EarlyStopping(**stopper), Calls(hook, interrupt_at(number))],
        )
    resumed = ToyProblem(epochs=6)
    history = resumed.fit(tmp_path, validate=scripted(values[2:]), callbacks=[keras.callbacks.EarlyStopping(**stopper)])
    assert [logs["val_loss"] for logs in history.epochs] == values[:4]
    assert history.finished
    assert (history.best_epoch, history.best_value) == (3, 2.7)


def test_a_finished_run_returns_at_once_with_its_history_and_weights(tmp_path: Path) -> None:
    problem = ToyProblem()
    history = problem.fit(tmp_path)
    assert history.finished
    assert len(history.epochs) == 3
    again = ToyProblem()
    resumed = again.fit(
        tmp_path,
        loss=lambda batch: pytest.fail("trained again"),
        validate=lambda: pytest.fail("validated again"),
        callbacks=[Calls("on_train_begin", lambda call: pytest.fail("began again"))],
        report=pytest.fail,
    )
    assert resumed == history
    assert again.digest() == problem.digest()


def test_validation_sees_the_averaged_weights_and_training_goes_on_with_the_raw(tmp_path: Path) -> None:
    problem, seen = ToyProblem(averaging=0.9), []

    def validate() -> dict[str, float]:
        seen.append([weight.numpy() for weight in problem.model.trainable_variables])
        return problem.validate()

    # The average as its definition says, from the raw weights after each batch.
    averages: list[np.ndarray] = []

    def average(call: int) -> None:
        raw = [weight.numpy().astype(np.float64) for weight in problem.model.trainable_variables]
        averages[:] = raw if call == 0 else [0.9 * old + 0.1 * new for old, new in zip(averages, raw, strict=True)]

    problem.fit(tmp_path, validate=validate, callbacks=[Calls("on_train_batch_end", average)])
    assert len(seen) == 3
    for weight, expected, raw in zip(seen[-1], averages, problem.model.trainable_variables, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)
        assert not np.array_equal(weight, raw.numpy())


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_the_best_checkpoint_scores_what_the_history_says(tmp_path: Path, averaging: float) -> None:
    problem = ToyProblem(averaging=averaging)
    values = iter([2.0, 1.0, 3.0])
    scores: list[float] = []

    def validate() -> dict[str, float]:
        scores.append(problem.validate()["loss"])
        return {"loss": next(values)}

    history = problem.fit(tmp_path, validate=validate)
    assert (history.best_epoch, history.best_value) == (1, 1.0)
    best = CheckpointStore(tmp_path).best(pytest.fail)
    assert best is not None
    assert best.step == 2 * BATCHES
    other = ToyProblem(averaging=averaging)
    load_weights(other.model, best, averaged=averaging > 0)
    assert other.validate()["loss"] == scores[1]


def test_checkpoints_come_when_the_clock_says_so(tmp_path: Path) -> None:
    problem = ToyProblem(epochs=1)
    seconds = 0.0
    written: list[int] = []

    class Store(CheckpointStore):
        def save(self, step: int, *positional: Any, **named: Any) -> None:
            written.append(step)
            super().save(step, *positional, **named)

    def tick(call: int) -> None:
        nonlocal seconds
        seconds += 10.0

    problem.fit(
        tmp_path,
        store=Store(tmp_path),
        clock=lambda: seconds,
        seconds_between_checkpoints=50.0,
        callbacks=[Calls("on_train_batch_begin", tick)],
    )
    assert written == [5, 10, BATCHES]


def test_logs_are_means_over_the_batches(tmp_path: Path) -> None:
    problem = ToyProblem(epochs=2)

    def batches(epoch: int) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices([1.0 + epoch, 2.0 + epoch, 6.0 + epoch])

    def loss(batch: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        idle = sum(tf.reduce_sum(weight) for weight in problem.model.trainable_variables)
        return batch + 0.0 * idle, {"squared": tf.square(batch)}

    history = problem.fit(tmp_path, batches=batches, loss=loss, validate=lambda: {"loss": 1})
    # Worked by hand: (1 + 2 + 6) / 3, (1 + 4 + 36) / 3; (2 + 3 + 7) / 3, (4 + 9 + 49) / 3.
    assert [logs["loss"] for logs in history.epochs] == pytest.approx([3.0, 4.0])
    assert [logs["squared"] for logs in history.epochs] == pytest.approx([41 / 3, 62 / 3])


def test_callbacks_get_running_means_now_and_then(tmp_path: Path) -> None:
    class Readings(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.batches: list[int] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if logs:
                self.batches.append(batch)
                assert logs.keys() == {"loss", "absolute"}

    readings = Readings()
    problem = ToyProblem(epochs=1)
    problem.fit(tmp_path, batches=lambda epoch: problem.batches(epoch).repeat(4), callbacks=[readings])
    assert readings.batches == [19, 39]


def test_a_callback_can_stop_inside_an_epoch(tmp_path: Path) -> None:
    problem = ToyProblem()

    def stop(call: int) -> None:
        problem.model.stop_training = call >= 4

    history = problem.fit(tmp_path, callbacks=[Calls("on_train_batch_end", stop)])
    assert history.finished
    assert len(history.epochs) == 1
    assert positions(tmp_path) == [5]


def broken_loss(problem: ToyProblem, at_step: int, by: Callable[[tf.Tensor], tf.Tensor]) -> Callable[[Any], Any]:
    def loss(batch: Any) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        value, metrics = problem.loss(batch)
        step = problem.optimizer.iterations.value
        return tf.cond(step == at_step, lambda: by(value), lambda: value), metrics

    return loss


@pytest.mark.parametrize("factor", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops_the_training(tmp_path: Path, factor: float) -> None:
    problem = ToyProblem()
    loss = broken_loss(problem, BATCHES + 2, lambda value: value * factor)
    with pytest.raises(
        InputError, match=r"loss is (nan|inf) in epoch 2.*; expected a finite number; lower the learning"
    ):
        problem.fit(tmp_path, loss=loss, seconds_between_checkpoints=0.0)
    assert positions(tmp_path)[-1] == BATCHES + 2


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    problem = ToyProblem()
    # The square root of zero is fine; its gradient, infinity times zero, is not.
    loss = broken_loss(problem, 3, lambda value: value + tf.sqrt(0.0 * value))
    with pytest.raises(InputError, match=r"weight of .*kernel is nan in epoch 1, after 4 batches"):
        problem.fit(tmp_path, loss=loss, seconds_between_checkpoints=0.0)
    assert positions(tmp_path) == [1, 2, 3]


def test_a_validation_that_is_not_finite_stops_the_training(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="val_loss is nan in epoch 1"):
        ToyProblem().fit(tmp_path, validate=lambda: {"loss": np.nan})


def test_data_without_a_batch_are_refused(tmp_path: Path) -> None:
    problem = ToyProblem()
    with pytest.raises(InputError, match="no batch; expected at least one"):
        problem.fit(tmp_path, batches=lambda epoch: problem.batches(epoch).take(0))


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    ToyProblem(epochs=1).fit(tmp_path)
    with pytest.raises(InputError, match="use the configuration and the version"):
        ToyProblem(recurrent=True, epochs=1).fit(tmp_path)


def test_an_unknown_monitor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="monitor='val_lost'; expected one of absolute, learning_rate, loss, val_loss"):
        ToyProblem().fit(tmp_path, monitor="val_lost")


def test_a_step_zero_checkpoint_holds_the_first_weights_as_averages(tmp_path: Path) -> None:
    problem = ToyProblem()
    with pytest.raises(KeyboardInterrupt):
        problem.fit(tmp_path, callbacks=[Calls("on_train_batch_begin", interrupt_at(0))])
    checkpoint = CheckpointStore(tmp_path).latest_valid(pytest.fail)
    assert checkpoint is not None
    assert checkpoint.step == 0
    expected = ToyProblem().validate()["loss"]
    load_weights(problem.model, checkpoint, averaged=True)
    assert problem.validate()["loss"] == expected
