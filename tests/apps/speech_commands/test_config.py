import dataclasses
import json

import pytest

from runnel.apps.speech_commands.config import PRESETS, Advanced, Config
from runnel.shared.errors import InputError


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_survive_json(preset: str) -> None:
    config = dataclasses.replace(PRESETS[preset], commands=("go", "stop"))
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"units": 0}, "--units 0; expected at least 1"),
        ({"bands": 4}, "--bands 4; expected at least 8"),
        ({"dropout": 1.0}, "--dropout 1.0"),
        ({"slot_seconds": 0.0}, "--slot-seconds 0.0"),
        ({"speed_spread": 1.0}, "--speed-spread 1.0"),
        ({"evaluation_hours": 0.0}, "--evaluation-hours 0.0"),
        ({"seed": -1}, "--seed -1"),
    ],
)
def test_options_out_of_range_are_refused(options: dict, part: str) -> None:
    with pytest.raises(InputError, match="received") as caught:
        Config(advanced=Advanced(**options))
    assert part in str(caught.value)


def test_no_budget_of_false_alarms_is_refused() -> None:
    with pytest.raises(InputError, match="--false-alarms-per-hour 0"):
        Config(false_alarms_per_hour=0.0)


def test_going_on_keeps_the_network_and_takes_the_training() -> None:
    own = Config(cell="lstm", commands=("go",), advanced=Advanced(units=7, bands=20))
    asked = Config(data="clips", false_alarms_per_hour=2.0, advanced=Advanced(epochs=3))
    going_on = own.with_training_of(asked)
    assert (going_on.cell, going_on.advanced.units, going_on.advanced.bands) == ("lstm", 7, 20)
    assert (going_on.data, going_on.false_alarms_per_hour, going_on.advanced.epochs) == ("clips", 2.0, 3)
    with pytest.raises(InputError, match="--units 8 with --init-from; expected 7"):
        own.with_training_of(Config(advanced=Advanced(units=8)))
