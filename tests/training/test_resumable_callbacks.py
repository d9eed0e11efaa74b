import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from runnel.shared.training.resumable_callbacks import ResumableCallbacks

EPOCHS = [{"loss": 3.0, "val_loss": 2.5}, {"loss": 0.1 + 0.2, "val_loss": 1e-7}]


class Counter(keras.callbacks.Callback):
    def __init__(self, name: str = "counter") -> None:
        super().__init__()
        self.name = name
        self.count = 0
        self.largest: float | None = None
        self.seen: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.count = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.count += 1
        self.largest = np.float32(epoch)
        self.seen.append(epoch)


def resumable(*callbacks: keras.callbacks.Callback) -> ResumableCallbacks:
    inputs = keras.Input([1])
    return ResumableCallbacks(callbacks, keras.Model(inputs, keras.layers.Dense(1)(inputs)), epochs=9, batches=4)


def test_what_has_changed_comes_back_after_on_train_begin() -> None:
    first = resumable(Counter(), Counter("other"))
    first.begin([], {})
    for epoch in range(3):
        first.hooks.on_epoch_end(epoch, {})
    states = json.loads(json.dumps(first.states()))
    assert states == {"Counter": {"count": 3, "largest": 2.0}, "Counter.1": {"count": 3, "largest": 2.0}}

    again = Counter("renamed")
    second = resumable(again)
    second.begin([], states)
    assert (again.count, again.largest, again.name, again.seen) == (3, 2.0, "renamed", [])
    assert second.states() == {"Counter": {"count": 3, "largest": 2.0}}


def test_a_state_without_its_callback_is_left_alone() -> None:
    callbacks = resumable(Counter())
    callbacks.begin([], {"Gone": {"count": 3}})
    assert callbacks.states() == {"Counter": {}}


@pytest.mark.parametrize("append", [True, False])
def test_a_csv_log_is_written_anew_from_the_history(tmp_path: Path, append: bool) -> None:
    path = tmp_path / "log.csv"
    path.write_text("left by a kill")
    callbacks = resumable(keras.callbacks.CSVLogger(path, append=append))
    callbacks.begin(EPOCHS[:1], {})
    assert path.read_text().splitlines() == ["epoch,loss,val_loss", "0,3.0,2.5"]
    callbacks.hooks.on_epoch_end(1, EPOCHS[1])
    assert path.read_text().splitlines()[2:] == ["1,0.30000000000000004,1e-07"]
    callbacks.hooks.on_train_end()


def test_a_stopper_resumed_twice_keeps_the_sign_of_min_delta() -> None:
    states: Any = {}
    for epoch, stops in [(0, False), (1, False), (2, False), (3, True)]:
        # Every value is better by 0.1, less than min_delta, so none counts; one epoch a process.
        stopper = keras.callbacks.EarlyStopping(patience=3, min_delta=0.5)
        callbacks = resumable(stopper)
        callbacks.begin([], states)
        stopper.model.stop_training = False
        callbacks.hooks.on_epoch_end(epoch, {"val_loss": 1.0 - 0.1 * epoch})
        assert stopper.model.stop_training is stops
        states = json.loads(json.dumps(callbacks.states()))


def test_callbacks_know_the_length_of_the_run() -> None:
    counter = Counter()
    resumable(counter)
    assert counter.params == {"epochs": 9, "steps": 4}


def test_restoring_the_best_weights_from_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="restore_best_weights=True; expected False"):
        resumable(keras.callbacks.EarlyStopping(restore_best_weights=True))
