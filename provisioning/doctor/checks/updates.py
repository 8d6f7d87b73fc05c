"""What the last update came to, and whether the city's updates are still heard of."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from device.clock import Clock
from device.health.finding import Finding, absent, ok, warning
from provisioning.doctor.examined_box import ExaminedBox
from provisioning.updates.errors import SlotsMissing
from provisioning.updates.slots import LastUpdate, Slots

APPLICATION = Path("/opt/hiroba")
MAX_SILENT_DAYS = 7
"""A box looks each night: so long nothing that could be read, and somebody should look."""


def check(box: ExaminedBox, application: Path = APPLICATION) -> list[Finding]:
    """Reads the slots and the updater's notes."""
    slots = Slots(application)
    try:
        running = slots.release(slots.current())
    except SlotsMissing:
        return [absent("update.no_slots")]
    trial = slots.trial()
    days = _days_silent(slots, box.clock) if box.site.updates.source else None
    return judge(running.release, trial.release if trial else None, slots.last(), days)


def judge(running: int, trial: int | None, last: LastUpdate | None, days_silent: int | None) -> list[Finding]:
    """running, trial: releases; trial: None when none is on trial. days_silent: None where nothing is asked for."""
    found = _last(last) if trial is None else [warning("update.on_trial", release=trial)]
    if days_silent is not None and days_silent >= MAX_SILENT_DAYS:
        found.append(warning("update.source_silent", days=days_silent))
    return found or [ok("update.running", release=running)]


def _last(last: LastUpdate | None) -> list[Finding]:
    if last is None or last.event == "update_kept":
        return []
    if last.event == "update_taken_back":
        return [warning("update.taken_back", release=last.facts["release"], reason=last.facts["reason"])]
    return [warning("update.refused", reason=last.facts["code"])]


def _days_silent(slots: Slots, clock: Clock) -> int | None:
    """Since the last look that was answered; None for a box that has never looked."""
    try:
        seen = datetime.fromisoformat((slots.updates / "trust/seen").read_text("ascii"))
    except (OSError, ValueError):
        return None
    return (clock.now() - seen).days
