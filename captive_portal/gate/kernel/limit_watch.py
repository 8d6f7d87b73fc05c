"""Tells when a spot's addresses are nearly used up, or when somebody was held by a limit of DNS or DHCP: in the log at
once, in ``Health`` for the doctor and by it for city hall. It also makes the phones of the lease files known to the
packet filter (``lease_limits``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from captive_portal.gate import protocol as p
from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel import dns_limits, lease_limits
from captive_portal.gate.kernel.lease_file import LeaseFile
from captive_portal.gate.kernel.packet_filter import PacketFilter
from captive_portal.gate.kernel.reconcile import Element, ElementName, Plan
from captive_portal.settings import WifiSettings
from device.clock import Clock
from device.logs import Log

CHECK_EVERY_SAMPLES = 6
"""A check for so many readings of the counters: every 30 s by default."""
NEARLY_USED = 0.8
"""Part of a pool."""
TOLD_SECONDS = 600.0
"""How long a limit that was reached is told."""
DROPPED_PACKETS = {dns_limits.OVER: 100, lease_limits.OVER: 20}
"""Packets dropped between two checks that are worth telling: a phone whose programs all ask at once loses a few."""
LIMIT_NAMES = {dns_limits.OVER: "dns", lease_limits.OVER: "leases"}


class LimitWatch:
    """``check`` when it is due; ``pools`` and ``limits`` answer with what it found last."""

    def __init__(self, settings: WifiSettings, state: Path, kernel: PacketFilter, clock: Clock, log: Log) -> None:
        """state: the state folder, for dnsmasq's lease files."""
        self._spots = [spot for spot in settings.spots if spot.dhcp]
        self._files = {spot.name: LeaseFile(state / spot.dhcp.leases) for spot in self._spots if spot.dhcp}
        self._every = CHECK_EVERY_SAMPLES * settings.gate.sample_seconds
        self._kernel = kernel
        self._clock = clock
        self._log = log
        self._dropped: Mapping[str, int] = {}
        self._told: dict[str, float] = {}
        self._full: set[str] = set()
        self.pools: list[p.LeasePool] = []
        self.due_at = 0.0

    def check(self) -> None:
        """Read the lease files and the counters of dropped packets, and log what is new."""
        self.due_at = self._clock.monotonic() + self._every
        now = self._clock.now().timestamp()
        leases = {name: file.in_force(now) for name, file in self._files.items()}
        self.pools = [
            p.LeasePool(spot=spot.name, used=len(leases[spot.name]), size=lease_limits.pool_size(spot.dhcp))
            for spot in self._spots
            if spot.dhcp
        ]
        self._tell_pools()
        try:
            self._make_known({mac for found in leases.values() for mac in found})
            self._tell_limits(self._kernel.read_dropped())
        except KernelRefused:
            return  # without the table; it is repaired elsewhere

    def limits(self) -> list[str]:
        """Which limits were reached lately: "dns", "leases"."""
        since = self._clock.monotonic() - TOLD_SECONDS
        return sorted(LIMIT_NAMES[name] for name, at in self._told.items() if at >= since)

    def _tell_pools(self) -> None:
        full = {pool.spot for pool in self.pools if pool.used >= NEARLY_USED * pool.size}
        for pool in self.pools:
            if pool.spot in full - self._full:
                self._log.warning("leases_nearly_used", spot=pool.spot, used=pool.used, size=pool.size)
        self._full = full

    def _tell_limits(self, dropped: Mapping[str, int]) -> None:
        now = self._clock.monotonic()
        for name, enough in DROPPED_PACKETS.items():
            before = self._dropped.get(name, 0)
            count = dropped.get(name, 0) - (before if dropped.get(name, 0) >= before else 0)
            if count >= enough:
                if LIMIT_NAMES[name] not in self.limits():
                    self._log.warning("limit_reached", limit=LIMIT_NAMES[name], dropped=count)
                self._told[name] = now
        self._dropped = dropped

    def _make_known(self, macs: set[str]) -> None:
        seconds = lease_limits.KNOWN_SECONDS
        elements = [
            (ElementName(lease_limits.CLIENTS_SET, f"{mac} . {mac}"), Element(0, seconds)) for mac in sorted(macs)
        ]
        if elements:
            self._kernel.apply(Plan([], elements))
