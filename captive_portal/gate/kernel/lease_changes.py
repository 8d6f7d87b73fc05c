"""What a changed lease file changes in the kernel. Pure.

dnsmasq rewrites its file in place, so a reader may see the first part of it: a new lease, or one that went to another
phone, counts at once; one that is missing only when it is still missing a second later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from captive_portal.gate.kernel.reconcile import Element, ElementName

GONE_AFTER = 1.0
"""Seconds for which a lease must be missing from the file."""


class LeaseChanges:
    """The leases of one spot. applied: address -> MAC, as the kernel has them; waiting: some are missing."""

    def __init__(self) -> None:
        self.applied: Mapping[str, str] = {}
        self._missing: dict[str, float] = {}

    @property
    def waiting(self) -> bool:
        """Whether to come again although the file has not changed."""
        return bool(self._missing)

    def start(self, leases: Mapping[str, str]) -> None:
        """These are applied from the start."""
        self.applied = leases

    def take(self, leases: Mapping[str, str], now: float) -> tuple[dict[str, str], list[str]]:
        """(leases to add or to give to another MAC, addresses whose lease is over); ``now`` monotonic."""
        added = {ip: mac for ip, mac in leases.items() if self.applied.get(ip) != mac}
        self._missing = {ip: self._missing.get(ip, now) for ip in self.applied if ip not in leases}
        removed = [ip for ip, since in self._missing.items() if now - since >= GONE_AFTER]
        for ip in removed:
            del self._missing[ip]
        kept = {ip: self.applied[ip] for ip in self._missing}
        self.applied = {**leases, **kept}
        return added, removed


def lease_elements(leases: Iterable[tuple[str, str]]) -> Iterator[tuple[ElementName, Element]]:
    """The elements of (address, MAC) pairs, for packets and for ARP."""
    for ip, mac in leases:
        for prefix in ("", "arp_"):
            yield ElementName(f"{prefix}leased4", f"{ip} . {mac}"), Element()
            yield ElementName(f"{prefix}leased", ip), Element()
