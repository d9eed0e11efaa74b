"""Timing of peers on a machine that has other work to do."""

import time
from collections.abc import Callable

import numpy as np

__all__ = ["time_in_turns"]


def time_in_turns(*steps: Callable[[], None], rounds: int = 20, calls: int = 100) -> list[tuple[float, float]]:
    """Median and 95th percentile in seconds of each function, called in turns so that both meet the same machine."""
    seconds: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds + 1):
        for step, times in zip(steps, seconds, strict=True):
            for _ in range(calls):
                began = time.perf_counter()
                step()
                times.append(time.perf_counter() - began)
    return [tuple(np.quantile(times[calls:], [0.5, 0.95])) for times in seconds]  # the first round only warms up
