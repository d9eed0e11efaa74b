import dataclasses
import json
from typing import Any

import pytest

from runnel.apps.forecasting.config import PRESETS, Advanced, Config
from runnel.shared.errors import InputError


def test_presets_take_more_and_more() -> None:
    assert list(PRESETS) == ["quick", "default", "thorough"]
    steps = [preset.advanced.epochs * preset.advanced.steps_per_epoch for preset in PRESETS.values()]
    assert steps == sorted(set(steps))
    assert PRESETS["default"] == Config()


@pytest.mark.parametrize("name", PRESETS)
def test_goes_through_json(name: str) -> None:
    config = dataclasses.replace(PRESETS[name], target=("a", "b"), features=("c",))
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("option", [{"context": 1}, {"horizon": -1}])
def test_bad_option_is_named(option: dict[str, int]) -> None:
    ((name, value),) = option.items()
    with pytest.raises(InputError, match=f"^received --{name} {value}; expected at least "):
        Config(**option)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0) for name in ("units", "depth", "batch_size", "epochs", "steps_per_epoch", "patience", "segment")),
        *((name, -1) for name in ("folds", "long_state_rows", "evaluation_rows", "weight_decay", "prior_weight")),
        *((name, value) for name in ("dropout", "averaging") for value in (-0.1, 1.0, float("nan"))),
        *(("decay", value) for value in (0.0, 1.1, float("nan"))),
        *(("learning_rate", value) for value in (0.0, float("nan"), float("inf"))),
        *(("seed", value) for value in (-1, 2**31)),
        ("adaptation_rate", float("nan")),
    ],
)
def test_bad_advanced_option_is_named(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^received --{name.replace('_', '-')} {value}; expected ".replace("+", ".")):
        Config(advanced=Advanced(**{name: value}))


def test_going_on_from_an_export_keeps_its_network_and_takes_the_new_training() -> None:
    old = Config(data="old.csv", target=("a",), context=20, horizon=2, cell="lstm", advanced=Advanced(units=9, seed=1))
    new = Config(data="new.csv", init_from="export", advanced=Advanced(epochs=3, seed=2))
    merged = old.with_training_of(new)
    assert (merged.data, merged.init_from, merged.target) == ("new.csv", "export", ("a",))
    assert (merged.context, merged.horizon, merged.cell, merged.advanced.units) == (20, 2, "lstm", 9)
    assert (merged.advanced.epochs, merged.advanced.seed) == (3, 2)


@pytest.mark.parametrize("option", [{"cell": "simple_rnn"}, {"context": 33}, {"advanced": Advanced(units=70)}])
def test_going_on_from_an_export_refuses_another_network(option: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"with --init-from; expected .*, as in the export"):
        Config(cell="lstm").with_training_of(Config(init_from="export", **option))
