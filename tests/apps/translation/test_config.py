import dataclasses
import json
from typing import Any

import pytest

from runnel.apps.translation.config import LONGEST_WORD, PRESETS, Advanced, Config, StreamOptions
from runnel.shared.errors import InputError


def test_presets_take_more_and_more() -> None:
    assert list(PRESETS) == ["quick", "default", "thorough"]
    for name in ("units", "embedding", "epochs"):
        sizes = [getattr(preset.advanced, name) for preset in PRESETS.values()]
        assert sizes == sorted(set(sizes)), name
    assert PRESETS["default"] == Config()


@pytest.mark.parametrize("name", PRESETS)
def test_goes_through_json(name: str) -> None:
    config = dataclasses.replace(PRESETS[name], data="a.tsv", attention="none", simultaneous=False)
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("vocabulary", [299, 0, -1])
def test_bad_option_is_named(vocabulary: int) -> None:
    with pytest.raises(InputError, match=f"^received --vocabulary {vocabulary}; expected at least 300"):
        Config(vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0) for name in ("units", "depth", "embedding", "batch_tokens", "longest_sentence", "longest_wait")),
        *((name, 0) for name in ("epochs", "patience", "beam", "evaluation_sentences")),
        *((name, -1) for name in ("steps_per_epoch", "weight_decay", "repeated_ngram", "baseline_epochs")),
        *((name, value) for name in ("dropout", "embedding_dropout") for value in (-0.1, 1.0, float("nan"))),
        *((name, value) for name in ("label_smoothing", "averaging") for value in (-0.1, 1.0, float("nan"))),
        *(("whole_share", value) for value in (0.0, 1.1, float("nan"))),
        *(("length_penalty", value) for value in (-0.1, 5.1, float("nan"))),
        *(("longest_ratio", value) for value in (0.9, 11, float("nan"))),
        *(("learning_rate", value) for value in (0.0, float("nan"), float("inf"))),
        *(("seed", value) for value in (-1, 2**31)),
        ("window", 4 * LONGEST_WORD),
        ("weight_decay", float("nan")),
    ],
)
def test_bad_advanced_option_is_named(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^received --{name.replace('_', '-')} {value}; expected ".replace("+", ".")):
        Config(advanced=Advanced(**{name: value}))


@pytest.mark.parametrize(
    ("options", "can"),
    [
        ({}, True),
        ({"simultaneous": True}, True),
        ({"simultaneous": False}, False),
        ({"attention": "none"}, False),
        ({"encoder": "bidirectional"}, False),
        ({"attention": "none", "encoder": "bidirectional", "simultaneous": False}, False),
    ],
)
def test_who_can_translate_before_a_sentence_ends(options: dict[str, Any], can: bool) -> None:
    assert Config(**options).can_wait_k == can


@pytest.mark.parametrize("option", [{"attention": "none"}, {"encoder": "bidirectional"}])
def test_what_needs_the_whole_sentence_cannot_be_simultaneous(option: dict[str, Any]) -> None:
    ((name, value),) = option.items()
    with pytest.raises(InputError, match=f"^received --simultaneous True with --{name} {value}, which needs the whole"):
        Config(simultaneous=True, **option)


@pytest.mark.parametrize("wait_k", [-1, -100])
def test_a_wait_of_less_than_no_word_is_refused(wait_k: int) -> None:
    with pytest.raises(InputError, match=f"^received --wait-k {wait_k}; expected 0"):
        StreamOptions(wait_k)


def test_going_on_from_an_export_keeps_its_network_and_takes_the_new_training() -> None:
    advanced = Advanced(units=9, depth=3, embedding=5, seed=1)
    old = Config(data="old.tsv", attention="none", vocabulary=999, cell="lstm", advanced=advanced)
    new = Config(data="new.tsv", init_from="export", advanced=Advanced(epochs=3, seed=2, dropout=0.1))
    merged = old.with_training_of(new)
    assert (merged.data, merged.init_from) == ("new.tsv", "export")
    assert (merged.attention, merged.vocabulary, merged.cell) == ("none", 999, "lstm")
    assert (merged.advanced.units, merged.advanced.depth, merged.advanced.embedding) == (9, 3, 5)
    assert (merged.advanced.epochs, merged.advanced.seed, merged.advanced.dropout) == (3, 2, 0.1)


def test_going_on_may_add_and_leave_out_what_is_simultaneous() -> None:
    for old in (Config(), Config(simultaneous=False)):
        for simultaneous in (None, True, False):
            asked = Config(init_from="export", simultaneous=simultaneous)
            assert old.with_training_of(asked).can_wait_k == (simultaneous is not False)
    with pytest.raises(InputError, match="--simultaneous True with --attention none"):
        Config(attention="none").with_training_of(Config(init_from="export", simultaneous=True))


@pytest.mark.parametrize(
    "option",
    [
        *({"cell": "lstm"}, {"attention": "none"}, {"encoder": "bidirectional"}, {"vocabulary": 777}),
        {"advanced": Advanced(units=70)},
    ],
)
def test_going_on_from_an_export_refuses_another_network(option: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"with --init-from; expected .*, as in the export"):
        Config().with_training_of(Config(init_from="export", **option))
