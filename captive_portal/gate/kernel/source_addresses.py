"""The IPv6 addresses that a session's phone sent from, read from the packet filter (``address_log_rules``)."""

from __future__ import annotations

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel.address_log_rules import KEPT_SECONDS, SET
from captive_portal.gate.kernel.packet_filter import PacketFilter
from captive_portal.gate.policy.session import Session
from device.clock import Clock

FRESH_SECONDS = 0.05
"""When many sessions end at once, as at closing time, the set is not read for each of them."""


class SourceAddresses:
    """Reads the set when a session ends or moves."""

    def __init__(self, kernel: PacketFilter, clock: Clock) -> None:
        self._kernel = kernel
        self._clock = clock
        self._read_at = -FRESH_SECONDS
        self._found: dict[str, list[tuple[str, float]]] = {}

    def of(self, session: Session) -> list[str]:
        """Addresses of the session's MAC, from connections since it has this MAC and address."""
        now = self._clock.monotonic()
        if now - self._read_at >= FRESH_SECONDS:
            self._read(now)
        since = (self._clock.now() - (session.moved_at or session.started_at)).total_seconds()
        return sorted(address for address, seen_at in self._found.get(session.mac, ()) if seen_at >= now - since)

    def _read(self, now: float) -> None:
        self._found, self._read_at = {}, now
        try:
            for name, reading in self._kernel.readings(SET):
                mac, _, address = name.key.partition(" . ")
                gone = KEPT_SECONDS - (reading.element.seconds or 0.0)
                self._found.setdefault(mac, []).append((address, now - gone))
        except KernelRefused:
            return
