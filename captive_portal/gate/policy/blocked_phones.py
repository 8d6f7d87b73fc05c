"""Phones that staff have blocked. The MAC is kept until it is unblocked; elsewhere an entry is named by its number."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from captive_portal.gate import protocol as p


class BlockedPhone(msgspec.Struct, frozen=True, kw_only=True):
    """One blocked phone. spot: where it was then, "" when unknown; since: None when an older release blocked it. Stored
    as JSON under these field names.
    """

    number: str
    mac: str
    spot: str = ""
    since: datetime | None = None


class BlockedPhones:
    """All blocked phones of one box, oldest first."""

    def __init__(self) -> None:
        self._by_mac: dict[str, BlockedPhone] = {}

    def __contains__(self, mac: str) -> bool:
        return mac in self._by_mac

    def __iter__(self) -> Iterator[str]:
        """The MACs."""
        return iter(self._by_mac)

    def restore(self, macs: Iterable[str], records: Iterable[BlockedPhone]) -> None:
        """Load from the database: ``macs`` are blocked, ``records`` has the details of those it knows."""
        blocked = set(macs)
        self._by_mac = {record.mac: record for record in records if record.mac in blocked}
        for mac in blocked - self._by_mac.keys():
            self._by_mac[mac] = BlockedPhone(number=_number(), mac=mac)

    def add(self, mac: str, spot: str, now: datetime) -> None:
        """Block a phone; an entry that exists is kept."""
        self._by_mac.setdefault(mac, BlockedPhone(number=_number(), mac=mac, spot=spot, since=now))

    def remove(self, mac: str = "", number: str = "") -> int:
        """Unblock by MAC or by number, or all without either. The number of entries removed."""
        named = [b.mac for b in self._by_mac.values() if (mac in ("", b.mac)) and (number in ("", b.number))]
        for each in named:
            del self._by_mac[each]
        return len(named)

    def records(self) -> list[BlockedPhone]:
        """For the database."""
        return list(self._by_mac.values())

    def details(self) -> list[p.BlockedPhoneDetails]:
        """For staff."""
        return [
            p.BlockedPhoneDetails(block=b.number, spot=b.spot, since=b.since, mac=b.mac) for b in self._by_mac.values()
        ]


def _number() -> str:
    return secrets.token_hex(4)
