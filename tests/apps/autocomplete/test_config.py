import dataclasses
import json
from typing import Any

import pytest

from runnel.apps.autocomplete.config import PRESETS, Advanced, Config
from runnel.shared.errors import InputError


def test_presets_take_more_and_more() -> None:
    assert list(PRESETS) == ["quick", "default", "thorough"]
    for name in ("units", "embedding", "epochs"):
        sizes = [getattr(preset.advanced, name) for preset in PRESETS.values()]
        assert sizes == sorted(set(sizes)), name
    assert PRESETS["default"] == Config()


@pytest.mark.parametrize("name", PRESETS)
def test_goes_through_json(name: str) -> None:
    config = dataclasses.replace(PRESETS[name], data="a.txt", level="char", cache=False)
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("vocabulary", [15, 0, -1])
def test_bad_option_is_named(vocabulary: int) -> None:
    with pytest.raises(InputError, match=f"^received --vocabulary {vocabulary}; expected at least 16"):
        Config(vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0) for name in ("units", "depth", "embedding", "batch_size", "window", "epochs", "patience")),
        *((name, 0) for name in ("minimum_count", "cache_tokens", "evaluation_characters")),
        *(("suggestions", value) for value in (0, 2)),
        *((name, -1) for name in ("steps_per_epoch", "weight_decay", "long_state_characters")),
        *((name, value) for name in ("dropout", "embedding_dropout") for value in (-0.1, 1.0, float("nan"))),
        *(("averaging", value) for value in (-0.1, 1.0, float("nan"))),
        *(("learning_rate", value) for value in (0.0, float("nan"), float("inf"))),
        *(("seed", value) for value in (-1, 2**31)),
        ("weight_decay", float("nan")),
    ],
)
def test_bad_advanced_option_is_named(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^received --{name.replace('_', '-')} {value}; expected ".replace("+", ".")):
        Config(advanced=Advanced(**{name: value}))


def test_going_on_from_an_export_keeps_its_network_and_takes_the_new_training() -> None:
    old = Config(data="old.txt", level="char", vocabulary=99, cell="gru", advanced=Advanced(units=9, depth=3, seed=1))
    new = Config(data="new.txt", init_from="export", cache=False, advanced=Advanced(epochs=3, seed=2, dropout=0.1))
    merged = old.with_training_of(new)
    assert (merged.data, merged.init_from, merged.cache) == ("new.txt", "export", False)
    assert (merged.level, merged.vocabulary, merged.cell) == ("char", 99, "gru")
    assert (merged.advanced.units, merged.advanced.depth) == (9, 3)
    assert (merged.advanced.epochs, merged.advanced.seed, merged.advanced.dropout) == (3, 2, 0.1)


@pytest.mark.parametrize(
    "option", [{"cell": "gru"}, {"level": "char"}, {"vocabulary": 77}, {"advanced": Advanced(units=70)}]
)
def test_going_on_from_an_export_refuses_another_network(option: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"with --init-from; expected .*, as in the export"):
        Config().with_training_of(Config(init_from="export", **option))
