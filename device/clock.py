"""The time of day and the time that only goes forward, as one port, so that tests can set both."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Protocol

JST = timezone(timedelta(hours=9), "JST")
"""Japan Standard Time; Japan has no daylight saving, so the box needs no time-zone database for it."""


class Clock(Protocol):
    """What a room may ask of time."""

    def now(self) -> datetime:
        """The present moment, aware, in JST."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """See Clock."""
        return datetime.now(JST)

    def monotonic(self) -> float:
        """See Clock."""
        return time.monotonic()


class HeldClock:
    """A clock that a person or a test moves by hand; product code for the demo's fast-forward."""

    def __init__(self, at: datetime) -> None:
        self._now = at.astimezone(JST)
        self._elapsed = 0.0

    def now(self) -> datetime:
        """See Clock."""
        return self._now

    def monotonic(self) -> float:
        """See Clock."""
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks."""
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as NTP does; the monotonic clock does not move."""
        self._now += timedelta(seconds=seconds)
