"""The benches by name; each is loaded when it runs."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from device.errors import HirobaError
from device.logs import places
from provisioning.bench.rows import BARS, Measured, Row, judge
from provisioning.bench.workload import Workload

Bench = Callable[[Workload], Iterator[Measured]]
MODULES = {name: f"provisioning.bench.{name}_bench" for name in BARS}
"""Bench -> module with a function ``measure(workload)`` that yields its rows as they are found."""


def run(name: str, *, trial: bool = False) -> list[Row]:
    """All rows of one bench. What breaks on the way leaves the rows found so far, and a note on the others."""
    with tempfile.TemporaryDirectory(prefix="hiroba-bench-") as folder:
        return collect(name, load(name), Workload(Path(folder), trial))


def load(name: str) -> Bench:
    """The bench's function. Raises KeyError."""
    measure: Bench = importlib.import_module(MODULES[name]).measure
    return measure


def collect(name: str, measure: Bench, workload: Workload) -> list[Row]:
    """Drain ``measure``; a failure becomes the note of every row it left out."""
    found: list[Measured] = []
    why = ""
    try:
        for measured in measure(workload):
            found.append(measured)  # one by one: what was found before a failure stays
    except Exception as error:  # a bench that breaks must not take the other benches' rows with it
        why = reason(error)
    if why:
        done = {measured.name for measured in found}
        found += [Measured(row, None, note=why) for row in BARS[name] if row not in done]
    return judge(name, found)


def reason(error: Exception) -> str:
    """One line: what broke and where."""
    if isinstance(error, HirobaError):
        return ", ".join([error.code, *(f"{key}={value}" for key, value in error.facts.items())])
    return f"{type(error).__name__}: {str(error).strip()[:200]} ({' '.join(places(error)[-1:])})"
