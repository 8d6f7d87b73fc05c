"""Which of the box's units run, and whether those that ran before an update run after it.

What did not run before is no reason to go back: a radio that is missing was missing yesterday.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence

from provisioning.box.health import Check, Hopeless

LOOPS = 3
"""Restarts of a unit by itself while it is watched: waiting will not help."""
_SHOW = ("systemctl", "show", "--property=Id,LoadState,ActiveState,NRestarts")
_SECONDS = 10

Properties = Mapping[str, str]
Ask = Callable[[Sequence[str]], str]


def ask_systemd(units: Sequence[str]) -> str:
    """What systemctl show prints; nothing where there is no systemd."""
    try:
        done = subprocess.run([*_SHOW, *units], capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def parsed(text: str) -> list[Properties]:
    """A block a unit, empty lines between them."""
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    return [block for block in blocks if block]


def running(units: Iterable[str], ask: Ask = ask_systemd) -> tuple[str, ...]:
    """Those of the services among ``units`` that are active."""
    services = [unit for unit in units if unit.endswith(".service")]
    found = parsed(ask(services)) if services else []
    return tuple(sorted(unit["Id"] for unit in found if unit.get("ActiveState") == "active"))


def units_check(units: Sequence[str], ask: Ask = ask_systemd) -> Check:
    """Healthy when each of ``units`` that this release still has is active. Hopeless when one keeps falling over.

    What it did before the first look, such as waiting for a bridge at the start of the box, does not count.
    """
    before: dict[str, int] = {}

    def look() -> str:
        found = parsed(ask(units)) if units else []
        if len(found) != len(units):
            return "systemctl: no answer"
        for unit in found:
            before[unit["Id"]] = min(_restarts(unit), before.get(unit["Id"], _restarts(unit)))
        said = [wrong for unit in found if (wrong := _wrong(unit, before[unit["Id"]]))]
        return next((wrong for wrong in said if isinstance(wrong, Hopeless)), next(iter(said), ""))

    return look


def _restarts(unit: Properties) -> int:
    return int(unit.get("NRestarts") or 0)


def _wrong(unit: Properties, before: int) -> str:
    if unit["LoadState"] == "not-found":
        return ""
    if _restarts(unit) - before >= LOOPS:
        return Hopeless(f"{unit['Id']}: starts again and again")
    return "" if unit["ActiveState"] == "active" else f"{unit['Id']}: {unit['ActiveState']}"
