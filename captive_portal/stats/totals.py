"""Totals of usage events per spot and hour. Pure: totals can be added in any order and any grouping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from captive_portal.gate.protocol import UsageEvent
from captive_portal.stats.codes import ALL_SPOTS, UNKNOWN_SPOT, closed_value
from device.clock import JST

HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class HourTotals:
    """One spot in one hour. sessions: begun; seconds online; bytes; refused logins; peak: phones online at once;
    disaster_phones: distinct phones that passed without a session while disaster mode was on.
    """

    sessions: int = 0
    seconds: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    refused: int = 0
    peak: int = 0
    disaster_phones: int = 0

    def add(self, other: HourTotals) -> None:
        """Add ``other``; of two peaks the higher one."""
        self.sessions += other.sessions
        self.seconds += other.seconds
        self.bytes_up += other.bytes_up
        self.bytes_down += other.bytes_down
        self.refused += other.refused
        self.peak = max(self.peak, other.peak)
        self.disaster_phones += other.disaster_phones


@dataclass(slots=True)
class UsageTotals:
    """hours: (spot, hour) -> sum; parts: (spot, hour, part, value) -> count of sessions or refusals;
    visitors: (day, spot, part, value, visitor), who began a session that day. Every spot counts for ALL_SPOTS as well.
    hour: "2026-11-23T09" and day: "2026-11-23", both in JST.
    """

    hours: dict[tuple[str, str], HourTotals] = field(default_factory=dict)
    parts: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    visitors: set[tuple[str, str, str, str, str]] = field(default_factory=set)

    def hour(self, spot: str, hour: str) -> HourTotals:
        """The totals of one spot and hour, added when missing."""
        return self.hours.setdefault((spot, hour), HourTotals())

    def add(self, other: UsageTotals) -> None:
        """Add ``other``."""
        for (spot, hour), more in other.hours.items():
            self.hour(spot, hour).add(more)
        self.parts.update(other.parts)
        self.visitors |= other.visitors


def hour_name(at: datetime) -> str:
    """ "2026-11-23T09" in JST."""
    return at.astimezone(JST).strftime("%Y-%m-%dT%H")


def spots_of(event: UsageEvent) -> tuple[str, str]:
    """The spot an event counts for, and the whole box."""
    return event.spot or UNKNOWN_SPOT, ALL_SPOTS


def totals_of(events: Iterable[UsageEvent]) -> UsageTotals:
    """The totals of some events, without peaks, which need the sessions online before (event_state)."""
    totals = UsageTotals()
    for event in events:
        add_event(totals, event)
    return totals


def add_event(totals: UsageTotals, event: UsageEvent) -> None:
    """Count one event."""
    if event.kind == "refused":
        _count(totals, event, "refusal", event.why)
        for spot in spots_of(event):
            totals.hour(spot, hour_name(event.at)).refused += 1
        return
    if event.kind == "disaster":
        for spot in spots_of(event):
            totals.hour(spot, hour_name(event.at)).disaster_phones += max(0, event.phones)
    if event.kind == "opened":
        _add_opened(totals, event)
    if event.kind == "ended":
        _count(totals, event, "end", event.why)
    for hour, seconds, up, down in split(event):
        for spot in spots_of(event):
            totals.hour(spot, hour).add(HourTotals(seconds=seconds, bytes_up=up, bytes_down=down))


def _add_opened(totals: UsageTotals, event: UsageEvent) -> None:
    hour = hour_name(event.at)
    day, hour_of_day = hour.split("T")
    values = [(part, closed_value(part, getattr(event, part))) for part in ("method", "language", "device")]
    for spot in spots_of(event):
        totals.hour(spot, hour).sessions += 1
        for part, value in values:
            totals.parts[spot, hour, part, value] += 1
        for part, value in [("", ""), ("hour", hour_of_day), *values]:
            totals.visitors.add((day, spot, part, value, event.visitor))


def _count(totals: UsageTotals, event: UsageEvent, part: str, value: str) -> None:
    for spot in spots_of(event):
        totals.parts[spot, hour_name(event.at), part, closed_value(part, value)] += 1


def split(event: UsageEvent) -> list[tuple[str, int, int, int]]:
    """(hour, seconds, bytes up, bytes down) for each hour the event's growth falls in: it covers the ``seconds`` before
    ``at``, and bytes are taken to flow evenly. The shares add up to the whole exactly.
    """
    seconds, up, down = max(0, event.seconds), max(0, event.bytes_up), max(0, event.bytes_down)
    if not (seconds or up or down):
        return []
    pieces = _hour_pieces(event.at.astimezone(JST), seconds)
    whole, done, shares = sum(width for _, width in pieces), 0, []
    for hour, width in pieces:
        before, done = done, done + width
        s, u, d = (_share(total, before, done, whole) for total in (seconds, up, down))
        shares.append((hour, s, u, d))
    return [share for share in shares if any(share[1:])]


def _share(total: int, start: int, stop: int, whole: int) -> int:
    """The part of ``total`` between start and stop of whole; the parts of all pieces add up to ``total``."""
    return total * stop // whole - total * start // whole if whole else total


def _hour_pieces(end: datetime, seconds: int) -> list[tuple[str, int]]:
    """(hour, microseconds) of the stretch before ``end``, oldest first."""
    start, pieces = end - timedelta(seconds=seconds), []
    while True:
        border = start.replace(minute=0, second=0, microsecond=0) + HOUR
        stop = min(border, end)
        pieces.append((hour_name(start), (stop - start) // _MICROSECOND))
        if border >= end:
            return pieces
        start = border
