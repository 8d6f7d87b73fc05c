"""The state between batches of events: the last number counted, and who is online. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from captive_portal.gate.protocol import UsageEvent
from captive_portal.stats.codes import ALL_SPOTS
from captive_portal.stats.totals import HOUR, UsageTotals, add_event, hour_name

_MAX_GAP = timedelta(days=32)
"""No session is longer (settings.LimitSettings); a longer gap comes from a clock that was set."""


@dataclass(frozen=True)
class EventState:
    """number: of the last event counted; at: its time; live: session -> spot, for the peaks."""

    number: int = 0
    at: datetime | None = None
    live: Mapping[str, str] = field(default_factory=dict)


def add_events(state: EventState, events: Iterable[UsageEvent]) -> tuple[EventState, UsageTotals]:
    """Count the events with numbers above the state's, in their order."""
    totals, live, number, at = UsageTotals(), dict(state.live), state.number, state.at
    online = Counter(live.values())
    for event in sorted(events, key=lambda e: e.number):
        if event.number <= number:
            continue
        if online:
            _carry(totals, online, at or event.at, event.at)
        _update_live(live, online, event)
        _raise_peaks(totals, online, event.at)
        add_event(totals, event)
        number, at = event.number, event.at
    return EventState(number, at, live), totals


def _carry(totals: UsageTotals, online: Counter[str], since: datetime, to: datetime) -> None:
    """Peaks of the hours between two events: the sessions online at the first last through each of them."""
    if hour_name(since) == hour_name(to):
        return
    hour = max(since, to - _MAX_GAP)
    while hour_name(hour) < hour_name(to):
        hour += HOUR
        _raise_peaks(totals, online, hour)


def _raise_peaks(totals: UsageTotals, online: Counter[str], at: datetime) -> None:
    name = hour_name(at)
    for spot, count in [*online.items(), (ALL_SPOTS, online.total())]:
        if count:
            hour = totals.hour(spot, name)
            hour.peak = max(hour.peak, count)


def _update_live(live: dict[str, str], online: Counter[str], event: UsageEvent) -> None:
    """Update the live sessions by this event."""
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
