"""A made-up month of Wi-Fi use, counted by the statistics' own code."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import msgspec

from captive_portal.gate.protocol import UsageEvent
from captive_portal.stats.database import (
    close_days,
    collected_days,
    mark_collected,
    open_stats_database,
    read_event_state,
    write,
)
from captive_portal.stats.event_state import add_events
from device.clock import JST

DAYS = 30
KEEP_DAYS = 1826
_SPOTS = {"hall": 60, "library": 40}
"""Spot -> log-ins on an ordinary day."""
_HOURS = [0, 0, 0, 0, 0, 0, 1, 2, 4, 7, 9, 10, 12, 11, 9, 9, 10, 9, 7, 5, 3, 2, 1, 0]
"""How the log-ins of a day are spread over its hours."""
_METHODS = (["one_tap", "voucher"], [9, 1])
_LANGUAGES = (["ja", "en", "zh-Hans", "ko", "vi", "ja-easy"], [70, 10, 8, 5, 4, 3])
_DEVICES = (["apple", "android", "windows", "other"], [52, 36, 9, 3])


def fill(file: Path, now: datetime) -> None:
    """Count use for each of the last DAYS days of which the database at ``file`` has no data, up to ``now``."""
    store = open_stats_database(file)
    first = now.date() - timedelta(days=DAYS - 1)
    known = collected_days(store, first, now.date())
    for day in (first + timedelta(days=n) for n in range(DAYS)):
        if day not in known:
            before = read_event_state(store)
            events = [event for event in _day(day, before.number) if event.at <= now]
            after, totals = add_events(before, events)
            write(store, before, after, totals)
            mark_collected(store, day)
            close_days(store, day, KEEP_DAYS)
    store.close()


def _day(day: date, number: int) -> list[UsageEvent]:
    """Its events in order of time, numbered on from ``number``. The same day is always the same."""
    rng = random.Random(day.toordinal())
    events = sorted((event for spot in _SPOTS for event in _at(spot, day, rng)), key=lambda event: event.at)
    return [_numbered(event, number + place) for place, event in enumerate(events, 1)]


def _at(spot: str, day: date, rng: random.Random) -> Iterator[UsageEvent]:
    weekend = 1.6 if day.weekday() >= 5 else 1.0
    for n in range(int(_SPOTS[spot] * weekend * rng.uniform(0.7, 1.3))):
        hour = rng.choices(range(24), _HOURS)[0]
        begun = datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)), JST)
        opened = UsageEvent(
            number=0,
            kind="opened",
            at=begun,
            spot=spot,
            visitor=f"{spot}-{rng.randrange(n + 1)}",
            session=f"{day}-{spot}-{n}",
            method=rng.choices(*_METHODS)[0],
            language=rng.choices(*_LANGUAGES)[0],
            device=rng.choices(*_DEVICES)[0],
        )
        yield opened
        yield _ended(opened, rng)


def _ended(opened: UsageEvent, rng: random.Random) -> UsageEvent:
    seconds, down = rng.randrange(120, 3600), rng.randrange(200_000, 90_000_000)
    return msgspec.structs.replace(
        opened,
        kind="ended",
        at=opened.at + timedelta(seconds=seconds),
        why=rng.choice(("expired", "expired", "logout")),
        seconds=seconds,
        bytes_up=down // 12,
        bytes_down=down,
    )


def _numbered(event: UsageEvent, number: int) -> UsageEvent:
    return msgspec.structs.replace(event, number=number)
