"""The streaming contract on everything in shared/ that carries a state."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator

import pytest
from contracts.cases import CASES, Case, build_case
from contracts.streaming import (
    ROWS,
    Example,
    Stream,
    check_chunks,
    check_functions_equal_eager,
    check_gradients,
    check_twin,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import runnel.shared.layers
import runnel.shared.preprocessing

_TEXT = "takes text, which has no time axis to mask: tests/preprocessing cuts it anywhere"
NOT_COVERED: dict[str, str] = {
    "CharacterTokenizer": _TEXT,
    "LogMel": "gives frames, not one output a sample: tests/preprocessing cuts it anywhere",
    "UnigramCache": "its state is one tensor: tests/layers compares it token by token with a count by hand",
    "WhitespaceSplitter": _TEXT,
    "WordSplitter": _TEXT,
    "WordTokenizer": _TEXT,
}
"""Public classes with `initial_state` that the contract does not run on, each with its reason."""

WITH_TWIN = [name for name in CASES if name.startswith(("Causal", "Recurrent", "Running"))]
# The others prepare data or adapt online: no gradient goes through them. Residuals matter to gradients between layers.
LEARNING = [*(name for name in WITH_TWIN if not name.endswith("1-residual")), "SegmentForecaster"]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return build_case(request.param)


@pytest.mark.parametrize("check", ROWS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_contract(case: Case, check: Callable[[Stream, Example], None]) -> None:
    check(case.compiled, case.example)


def test_functions_equal_eager(case: Case) -> None:
    check_functions_equal_eager(case.stream, case.compiled, case.example)


@pytest.mark.parametrize("name", LEARNING)
def test_gradients(name: str) -> None:
    case = build_case(name)
    check_gradients(case.compiled, case.example, case.variables, case.differentiable)


@pytest.mark.parametrize("name", WITH_TWIN)
def test_numpy_twin(name: str) -> None:
    case = build_case(name)
    assert case.twin is not None
    check_twin(case.compiled, case.example, case.twin)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, 9), max_size=6).map(sorted))
def test_any_chunks(name: str, cuts: list[int]) -> None:
    check_chunks(build_case(name).compiled, build_case(name).example, [0, *cuts])


def classes_with_state() -> Iterator[str]:
    for package in (runnel.shared.layers, runnel.shared.preprocessing):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            loaded = importlib.import_module(module.name)
            for name in loaded.__all__:
                if isinstance(getattr(loaded, name), type) and hasattr(getattr(loaded, name), "initial_state"):
                    yield name


def test_everything_with_a_state_is_covered() -> None:
    assert set(classes_with_state()) == {name.split("-")[0] for name in CASES} | NOT_COVERED.keys()
