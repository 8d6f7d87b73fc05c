"""What must be remembered between batches of events: how far we are, and who is online. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from captive_portal.gate.protocol import UsageEvent
from captive_portal.stats.codes import BOX
from captive_portal.stats.sums import HOUR, Sums, add_event, hour_name

_LONGEST_GAP = timedelta(days=32)
"""No session is longer (settings.LimitSettings); a wider gap is a clock that was set, not people who stayed."""


@dataclass(frozen=True)
class Tally:
    """number: of the last event counted; at: its time; live: session -> spot, for the peaks."""

    number: int = 0
    at: datetime | None = None
    live: Mapping[str, str] = field(default_factory=dict)


def fold(tally: Tally, events: Iterable[UsageEvent]) -> tuple[Tally, Sums]:
    """Count the events that ``tally`` has not seen yet, in the order of their numbers."""
    sums, live, number, at = Sums(), dict(tally.live), tally.number, tally.at
    online = Counter(live.values())
    for event in sorted(events, key=lambda e: e.number):
        if event.number <= number:
            continue
        if online:
            _carry(sums, online, at or event.at, event.at)
        _move(live, online, event)
        _raise_peaks(sums, online, event.at)
        add_event(sums, event)
        number, at = event.number, event.at
    return Tally(number, at, live), sums


def _carry(sums: Sums, online: Counter[str], since: datetime, to: datetime) -> None:
    """Who was online stays so through every hour up to now."""
    if hour_name(since) == hour_name(to):
        return
    hour = max(since, to - _LONGEST_GAP)
    while hour_name(hour) < hour_name(to):
        hour += HOUR
        _raise_peaks(sums, online, hour)


def _raise_peaks(sums: Sums, online: Counter[str], at: datetime) -> None:
    name = hour_name(at)
    for spot, count in [*online.items(), (BOX, online.total())]:
        if count:
            hour = sums.hour(spot, name)
            hour.peak = max(hour.peak, count)


def _move(live: dict[str, str], online: Counter[str], event: UsageEvent) -> None:
    """Bring the list of who is online up to this event."""
    if event.kind in ("refused", "disaster"):
        return
    before = live.pop(event.session, None)
    if before is not None:
        online[before] -= 1
        if not online[before]:
            del online[before]
    if event.kind != "ended":
        live[event.session] = event.spot
        online[event.spot] += 1
