"""The table for people and the JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from provisioning.bench.machine import Machine
from provisioning.bench.rows import Row

_HOLDS = {True: "○ holds", False: "× does not hold", None: "– not measured"}


def write_json(path: Path, machine: Machine, rows: Sequence[Row]) -> None:
    """Machine and rows, as a program reads them."""
    text = msgspec.json.format(msgspec.json.encode({"machine": machine, "rows": list(rows)}), indent=2)
    path.write_bytes(text + b"\n")


def show(console: Console, machine: Machine, rows: Sequence[Row]) -> None:
    """One line a row, notes below the table."""
    system = f"{machine.system}, kernel {machine.kernel}, Python {machine.python}, load {machine.load} before the start"
    console.print(f"{machine.cores} cores of {machine.cpu} ({machine.architecture}), {system}", soft_wrap=True)
    table = Table("row", "value", "unit", "peer", "its value", "ratio", "bar", "", header_style="bold")
    for row in rows:
        figures = _figure(row.value), row.unit, row.peer or "", _figure(row.peer_value), _figure(row.ratio)
        table.add_row(row.name, *figures, row.bar, _HOLDS[row.holds])
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"{row.name}: {row.note}", soft_wrap=True, markup=False, highlight=False)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
