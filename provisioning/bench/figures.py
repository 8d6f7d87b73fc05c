"""Figures out of runs: medians, and two sides taken in turn. Pure."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the middle two. Raises ValueError on nothing."""
    if not values:
        raise ValueError("no values")
    return float(statistics.median(values))


def spread(values: Sequence[float]) -> str:
    """Lowest to highest and how many, for a note."""
    return f"{min(values):.3g} to {max(values):.3g} in {len(values)} runs"


def in_turn(sides: Sequence[Callable[[], float]], runs: int) -> list[list[float]]:
    """``runs`` values of every side, taken A B A B …, so that a slow moment of the machine hits all alike."""
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(runs):
        for values, side in zip(taken, sides, strict=True):
            values.append(side())
    return taken


def milliseconds(work: Callable[[], object], times: int = 1) -> float:
    """Milliseconds of wall time that ``work`` takes, as the mean of ``times`` calls in a row."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) * 1000 / times


def growth(small: float, large: float) -> float:
    """How much dearer the large case is. Raises ValueError when the small one cost nothing."""
    if small <= 0:
        raise ValueError("nothing to compare with")
    return large / small
