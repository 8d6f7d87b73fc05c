"""What the pages show of a box, worked out from its row: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from device.clock import JST
from provisioning.cityhall.tables import Box

EXPIRING_SECONDS = 7 * 86400
SKEW_SECONDS = 120
ALARMS = frozenset({"documents.voided", "audit.broken", "audit.shortened", "audit.replaced", "audit.missing"})
"""Findings that need a person first."""
_PAPER_BAD = {"paper_out", "cover_open", "jam", "toner_out", "offline", "silent", "fault"}


@dataclass(frozen=True)
class BoxStatus:
    """One box as staff see it. state: forked, revoked, expired, never, silent, trouble, attention, well; worst first.
    Times are unix seconds. marks: (kind of mark, code) pairs to be shown.
    """

    name: str
    state: str
    version: str
    uptime_days: int | None
    heard_at: int | None
    certificate_until: int
    certificate_days: int
    papers: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]
    skewed: int
    kiosk_open: bool | None

    @property
    def stale(self) -> bool:
        """What it told is of the past: nobody knows how it is now."""
        return self.state in ("silent", "expired", "revoked", "forked", "never")


STATES = ("forked", "trouble", "silent", "expired", "attention", "never", "well", "revoked")
"""In this order on the page: what needs a person first."""


def box_status(box: Box, now: int, silent_seconds: int, alarms: Sequence[str] = ()) -> BoxStatus:
    """``box`` at ``now``. alarms: reasons for which an audit of it is in alarm."""
    facts, left = box.facts, box.certificate_until - now
    found = facts.get("findings")
    told = [str(f) for f in found] if isinstance(found, list) else []
    ours = dict.fromkeys(f"audit.{reason}" for reason in alarms)
    findings = (*ours, *(f for f in told if f not in ours))
    papers = tuple((name, str(facts[name])) for name in ("receipt_paper", "page_paper") if facts.get(name))
    uptime, kiosk = facts.get("uptime_s"), facts.get("kiosk_open")
    skewed = box.skew_seconds if abs(box.skew_seconds) > SKEW_SECONDS else 0
    return BoxStatus(
        name=box.name,
        state=_state(
            box,
            now,
            silent_seconds,
            papers,
            alarm=not ALARMS.isdisjoint(findings),
            attention=bool(findings or skewed or left < EXPIRING_SECONDS),
        ),
        version=str(facts.get("version", "")),
        uptime_days=int(uptime) // 86400 if isinstance(uptime, int | float) else None,
        heard_at=box.heartbeat_at,
        certificate_until=box.certificate_until,
        certificate_days=left // 86400,
        papers=papers,
        findings=findings,
        skewed=skewed,
        kiosk_open=kiosk if isinstance(kiosk, bool) else None,
    )


def _state(
    box: Box, now: int, silent_seconds: int, papers: tuple[tuple[str, str], ...], *, alarm: bool, attention: bool
) -> str:
    if box.state in ("revoked", "forked"):
        return box.state
    if box.certificate_until <= now:
        return "expired"
    if box.heartbeat_at is None:
        return "never"
    if now - box.heartbeat_at > silent_seconds:
        return "silent"
    if alarm or any(condition in _PAPER_BAD for _, condition in papers):
        return "trouble"
    return "attention" if attention or any(c == "paper_low" for _, c in papers) else "well"


def moment(seconds: int | None) -> str:
    """2026-04-01 09:30 in JST; "" for None."""
    return datetime.fromtimestamp(seconds, JST).strftime("%Y-%m-%d %H:%M") if seconds is not None else ""


def ago(seconds: int) -> tuple[str, int]:
    """(unit, how many): ("minutes", 5). Units: now, minutes, hours, days."""
    if seconds < 90:
        return "now", 0
    if seconds < 5400:
        return "minutes", round(seconds / 60)
    return ("hours", round(seconds / 3600)) if seconds < 129600 else ("days", round(seconds / 86400))
