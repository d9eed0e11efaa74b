from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from training.toy_problem import BATCHES, Calls, ToyProblem

from runnel.shared.errors import InputError
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.fit_run import choose_checkpoint, fit_run, start_from_export
from runnel.shared.training.run_folder import RunFolder


@dataclass(frozen=True)
class Options:
    epochs: int = 2
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    averaging: float = 0.9
    patience: int = 5


def run_in(folder: Path) -> RunFolder:
    return RunFolder(folder, "toy", {}, "")


def rows_of(run: RunFolder) -> list[dict[str, float]]:
    header, *lines = (line.split(",") for line in run.log_csv.read_text().splitlines())
    return [dict(zip(header, map(float, line), strict=True)) for line in lines]


def test_leaves_log_and_checkpoints_in_the_run(tmp_path: Path) -> None:
    toy, run, begun = ToyProblem(), run_in(tmp_path), []
    fit_run(
        toy.model,
        run,
        Options(),
        pytest.fail,
        steps_per_epoch=BATCHES,
        loss=toy.loss,
        batches=toy.batches,
        validate=toy.validate,
        carried={"level": toy.level},
        callbacks=[Calls("on_epoch_begin", begun.append)],
    )
    assert begun == [0, 1]
    rows = rows_of(run)
    assert rows[0]["learning_rate"] > rows[1]["learning_rate"] == pytest.approx(0, abs=1e-9)  # the cosine has ended
    newest = choose_checkpoint(run, "last", pytest.fail)
    assert newest.step == 2 * BATCHES
    np.testing.assert_array_equal(newest.arrays["carried/level"], toy.level.numpy())


def test_stops_when_validation_gets_no_better(tmp_path: Path) -> None:
    toy, run = ToyProblem(), run_in(tmp_path)
    losses = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    options = Options(epochs=5, patience=2)
    fit_run(
        toy.model,
        run,
        options,
        pytest.fail,
        steps_per_epoch=BATCHES,
        loss=toy.loss,
        batches=toy.batches,
        validate=lambda: {"loss": next(losses)},
    )
    assert [row["val_loss"] for row in rows_of(run)] == [3.0, 1.0, 2.0, 2.0]
    assert choose_checkpoint(run, "best", pytest.fail).step == 2 * BATCHES
    assert choose_checkpoint(run, "last", pytest.fail).step == 4 * BATCHES


@pytest.mark.parametrize("which", ["best", "last"])
def test_a_run_without_a_checkpoint(tmp_path: Path, which: str) -> None:
    with pytest.raises(InputError, match=f"holds no {which} checkpoint yet; expected a run that has trained"):
        choose_checkpoint(run_in(tmp_path), which, pytest.fail)  # type: ignore[arg-type]


def test_the_newest_may_be_the_only_one(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    CheckpointStore(run.checkpoints).save(3, {"a": np.ones(2)}, {}, is_best=False)
    assert choose_checkpoint(run, "last", pytest.fail).step == 3
    with pytest.raises(InputError, match="holds no best checkpoint yet"):
        choose_checkpoint(run, "best", pytest.fail)


def test_starts_from_the_weights_of_an_export(tmp_path: Path) -> None:
    exported, network = (keras.Sequential([keras.Input([3]), keras.layers.Dense(2)]) for _ in range(2))
    exported.save(tmp_path / "model.keras")
    before = [weight.copy() for weight in network.get_weights()]
    start_from_export(network, None)
    for found, expected in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    start_from_export(network, str(tmp_path))
    inputs = tf.random.stateless_normal([4, 3], [1, 2])
    np.testing.assert_array_equal(network(inputs), exported(inputs))
