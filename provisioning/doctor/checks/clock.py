"""Whether the time is right: without it no card, certificate or issue number can be trusted."""

from __future__ import annotations

from device.health import readers
from device.health.finding import Finding, absent, error, ok, warning
from provisioning.doctor.examined_box import ExaminedBox

EARLIEST_YEAR = 2026
"""The software was made in it: a clock before that is wrong."""


def check(box: ExaminedBox) -> list[Finding]:
    """Asks the kernel."""
    year = box.clock.now().year
    return [judge(readers.clock_synchronised(), year, EARLIEST_YEAR, container=readers.container())]


def judge(synchronised: bool | None, year: int, earliest_year: int, *, container: str = "") -> Finding:
    """container: its kind, "" for a machine of its own; the clock of one is set by the machine under it."""
    if year < earliest_year:
        return error("clock.wrong", year=year)
    if synchronised is None:
        return absent("clock.unknown")
    if not synchronised and container:
        return absent("clock.of_host", container=container)
    return ok("clock.synchronised") if synchronised else warning("clock.free_running")
