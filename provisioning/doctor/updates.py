"""What the last update came to, and whether the city's updates are still heard of."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from device.clock import Clock
from device.health.finding import Finding, absent, ok, warning
from provisioning.site.model import Site
from provisioning.updates.errors import SlotsMissing
from provisioning.updates.slots import Slots

APPLICATION = Path("/opt/hiroba")
SILENT_DAYS = 7
"""A box looks each night: so long nothing that could be read, and somebody should look."""


def updates(site: Site, clock: Clock, application: Path = APPLICATION) -> list[Finding]:
    """The release that runs, one that is on trial, was taken back or refused, and a source that is silent."""
    slots = Slots(application)
    try:
        running = slots.release(slots.current())
    except SlotsMissing:
        return [absent("update.no_slots")]
    found = _last(slots)
    days = _days_silent(slots, clock) if site.updates.source else None
    found += [warning("update.source_silent", days=days)] if days is not None and days >= SILENT_DAYS else []
    return found or [ok("update.running", release=running.release)]


def _last(slots: Slots) -> list[Finding]:
    trial, last = slots.trial(), slots.last()
    if trial is not None:
        return [warning("update.on_trial", release=trial.release)]
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
