"""What the options of every application are checked for; without TensorFlow, for `--help` to answer at once."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runnel.shared.errors import InputError

__all__ = ["POSITIVE", "SEED", "SHARE", "Range", "at_least", "check_ranges", "keep_shape"]


@dataclass(frozen=True)
class Range:
    """Which values an option may have.

    Attributes:
        holds: whether a value is one of them; false for NaN.
        expected: which they are, for the message.
    """

    holds: Callable[[Any], bool]
    expected: str


SHARE = Range(lambda value: 0 <= value < 1, "a number from 0 up to, not including, 1")
POSITIVE = Range(lambda value: 0 < value < math.inf, "a number above 0")
SEED = Range(lambda value: 0 <= value < 2**31, "a whole number from 0 to 2147483647")


def at_least(low: float) -> Range:
    """Values from `low` on."""
    return Range(lambda value: value >= low, f"at least {low}")


def check_ranges(config: Any, ranges: Mapping[Range, Iterable[str]]) -> None:
    """Refuses an option that is out of its range.

    Args:
        config: options, with more of them in its field `advanced`.
        ranges: the names of the options of each range; the first that is wrong is named.

    Raises:
        InputError: an option is out of its range.
    """
    options = _flat(config)
    for allowed, names in ranges.items():
        for name in names:
            if not allowed.holds(options[name]):
                raise InputError(f"received {_flag(name)} {options[name]}; expected {allowed.expected}")


def keep_shape(own: Any, other: Any, presets: Iterable[Any], names: Sequence[str]) -> Any:
    """The advanced options to go on from an export with: another configuration's training, the export's network.

    Args:
        own: the configuration of the export.
        other: the one that is asked for.
        presets: the configurations whose values count as not asked for.
        names: the options that make the shape of the network; those of `advanced` keep the value of the export.

    Returns:
        `other.advanced` with the shape of `own.advanced`.

    Raises:
        InputError: the other asks for another shape of network than a preset's or the export's.
    """
    kept, asked, usual = _flat(own), _flat(other), [_flat(preset) for preset in presets]
    for name in names:
        if asked[name] not in (kept[name], *(options[name] for options in usual)):
            raise InputError(
                f"received {_flag(name)} {asked[name]} with --init-from; expected {kept[name]}, as in the export; "
                "leave the option out, or train anew"
            )
    return dataclasses.replace(other.advanced, **{name: kept[name] for name in names if name in vars(own.advanced)})


def _flat(config: Any) -> dict[str, Any]:
    return {**vars(config), **vars(config.advanced)}


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
