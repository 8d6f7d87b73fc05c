"""The IPv6 addresses that a session's phone sent from, read from the packet filter (``address_log_rules``)."""

from __future__ import annotations

from contextlib import suppress

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel.address_log_rules import KEPT_SECONDS, SET
from captive_portal.gate.kernel.packet_filter import PacketFilter
from captive_portal.gate.policy.session import Session
from device.clock import Clock

FRESH_SECONDS = 0.05
"""When many sessions end at once, as at closing time, the set is not read for each of them."""
TICK_SECONDS = 0.02
"""The kernel counts a timeout in ticks (of 10 ms at most): what was sent just after a session began may seem older."""


class SourceAddresses:
    """Reads the set when a session ends or moves."""

    def __init__(self, kernel: PacketFilter, clock: Clock) -> None:
        self._kernel = kernel
        self._clock = clock
        self._read_at = -FRESH_SECONDS
        self._found: dict[str, list[tuple[str, float]]] = {}

    def of(self, session: Session) -> list[str]:
        """Addresses of the session's MAC, from connections since it has this MAC and address."""
        if self._clock.monotonic() - self._read_at >= FRESH_SECONDS:
            self._read()
        since = (self._clock.now() - (session.moved_at or session.started_at)).total_seconds() + TICK_SECONDS
        begun = self._clock.monotonic() - since
        return sorted(address for address, seen_at in self._found.get(session.mac, ()) if seen_at >= begun)

    def _read(self) -> None:
        left: list[tuple[str, float]] = []
        with suppress(KernelRefused):
            left = [(name.key, reading.element.seconds or 0.0) for name, reading in self._kernel.readings(SET)]
        self._found, self._read_at = {}, self._clock.monotonic()  # after a slow reading: rather too late than too early
        for key, seconds in left:
            mac, _, address = key.partition(" . ")
            self._found.setdefault(mac, []).append((address, self._read_at - (KEPT_SECONDS - seconds)))
