import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from runnel.shared.errors import InputError
from runnel.shared.training.options import POSITIVE, SEED, SHARE, Range, at_least, check_ranges, keep_shape


@dataclass(frozen=True)
class Advanced:
    units: int = 8
    drop_out: float = 0.0
    epochs: int = 3


@dataclass(frozen=True)
class Config:
    cell: str = "gru"
    context: int = 5
    advanced: Advanced = field(default_factory=Advanced)


@pytest.mark.parametrize(
    ("allowed", "inside", "outside"),
    [
        (at_least(2), (2, 2.0, 3, math.inf), (1.999, 0, -3, math.nan)),
        (SHARE, (0, 0.5, 0.999), (-0.001, 1, 1.0, math.inf, math.nan)),
        (POSITIVE, (1e-30, 1, 1e30), (0, -1, math.inf, math.nan)),
        (SEED, (0, 2**31 - 1), (-1, 2**31, math.nan)),
    ],
)
def test_what_is_in_a_range(allowed: Range, inside: tuple[float, ...], outside: tuple[float, ...]) -> None:
    assert [allowed.holds(value) for value in inside] == [True] * len(inside)
    assert [allowed.holds(value) for value in outside] == [False] * len(outside)


def test_an_option_out_of_range_is_named_as_on_the_command_line() -> None:
    ranges = {at_least(1): ("context", "units"), at_least(0): ("epochs",), SHARE: ("drop_out",)}
    check_ranges(Config(), ranges)
    with pytest.raises(InputError, match=r"^received --context 0; expected at least 1$"):
        check_ranges(Config(context=0), ranges)
    with pytest.raises(
        InputError, match=r"^received --drop-out 1\.5; expected a number from 0 up to, not including, 1$"
    ):
        check_ranges(Config(advanced=Advanced(drop_out=1.5)), ranges)
    with pytest.raises(InputError, match=r"^received --units 0; "):
        check_ranges(Config(advanced=Advanced(units=0, drop_out=1.5)), ranges)  # the first of two


PRESETS = (Config(), Config(advanced=Advanced(units=4)))
OWN = Config(cell="lstm", context=9, advanced=Advanced(units=7, epochs=30, drop_out=0.3))


@pytest.mark.parametrize(
    "asked",
    [
        Config(advanced=Advanced(epochs=2)),  # nothing of the shape
        Config(advanced=Advanced(units=4, epochs=2)),  # another preset's
        Config(cell="lstm", context=9, advanced=Advanced(units=7, epochs=2)),  # the export's own
    ],
)
def test_going_on_keeps_the_shape_and_takes_the_training(asked: Config) -> None:
    assert keep_shape(OWN, asked, PRESETS, ("cell", "context", "units")) == Advanced(units=7, drop_out=0.0, epochs=2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cell": "simple_rnn"}, "--cell simple_rnn with --init-from; expected lstm,"),
        ({"context": 6}, "--context 6 with --init-from; expected 9,"),
        ({"advanced": Advanced(units=5)}, "--units 5 with --init-from; expected 7,"),
    ],
)
def test_another_shape_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        keep_shape(OWN, dataclasses.replace(Config(), **change), PRESETS, ("cell", "context", "units"))
    assert str(caught.value) == f"received {said} as in the export; leave the option out, or train anew"
