"""How much one kiosk may ask for. Counted in the memory of each worker, so that a flood writes nothing.

nginx limits requests a second before (provisioning/box/render/nginx_mutual.py); nonces, visits and orders are counted
in the store, where every worker sees them.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from device.clock import Clock
from kiosk.issuer.errors import TooMany

REQUESTS, REFUSALS, CHALLENGES, VISITS, ORDERS = "requests", "refusals", "challenges", "visits", "orders"
"""What is counted, as the audit names it."""
_MINUTE, _HOUR = 60.0, 3600.0


class Allowed(NamedTuple):
    """Of one kiosk. A visit asks six times and orders once; refusals, each a line of the audit, are rare."""

    requests_per_minute: int = 240
    refusals_per_hour: int = 240
    orders_per_hour: int = 120


class KioskLimits:
    """The counters of one worker; safe across threads."""

    def __init__(self, allowed: Allowed, clock: Clock) -> None:
        self._windows = {REQUESTS: (_MINUTE, allowed.requests_per_minute), REFUSALS: (_HOUR, allowed.refusals_per_hour)}
        self.allowed = allowed
        self._clock = clock
        self._counted: dict[tuple[str, str], tuple[float, int]] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def request(self, kiosk: str) -> None:
        """One more request. Raises TooMany, also when this kiosk was refused too often."""
        with self._lock:
            self._check(kiosk, REFUSALS)
            self._check(kiosk, REQUESTS)
            self._count(kiosk, REQUESTS)

    def refusal(self, kiosk: str) -> None:
        """One more refusal of what this kiosk asked."""
        with self._lock:
            self._count(kiosk, REFUSALS)

    def too_many(self, kiosk: str, limit: str) -> TooMany:
        """The error for a limit that is counted elsewhere."""
        with self._lock:
            return self._too_many(kiosk, limit)

    def _check(self, kiosk: str, limit: str) -> None:
        seconds, most = self._windows[limit]
        began, counted = self._counted.get((kiosk, limit), (0.0, 0))
        if counted >= most and 0 <= self._clock.monotonic() - began < seconds:
            raise self._too_many(kiosk, limit)

    def _count(self, kiosk: str, limit: str) -> None:
        now = self._clock.monotonic()
        began, counted = self._counted.get((kiosk, limit), (now, 0))
        fresh = now - began >= self._windows[limit][0]
        self._counted[kiosk, limit] = (now, 1) if fresh else (began, counted + 1)

    def _too_many(self, kiosk: str, limit: str) -> TooMany:
        now, told = self._clock.monotonic(), self._told.get((kiosk, limit))
        first = told is None or now - told >= _HOUR
        if first:
            self._told[kiosk, limit] = now
        return TooMany(kiosk=kiosk, limit=limit, first=first)
