"""Phones that staff have barred. A MAC stands here until the bar is lifted; outside it is named by the bar's number."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from captive_portal.gate import protocol as p


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One barred phone. spot: where it was then, "" when unknown; since: None when an older release barred it."""

    number: str
    mac: str
    spot: str = ""
    since: datetime | None = None


class Blocks:
    """Every bar of one box, in the order they were made."""

    def __init__(self) -> None:
        self._bars: dict[str, Bar] = {}

    def __contains__(self, mac: str) -> bool:
        return mac in self._bars

    def __iter__(self) -> Iterator[str]:
        """The MACs."""
        return iter(self._bars)

    def restore(self, macs: Iterable[str], bars: Iterable[Bar]) -> None:
        """What the database remembers: ``macs`` are barred, ``bars`` tells more of those it knows."""
        barred = set(macs)
        self._bars = {bar.mac: bar for bar in bars if bar.mac in barred}
        for mac in barred - self._bars.keys():
            self._bars[mac] = Bar(number=_number(), mac=mac)

    def add(self, mac: str, spot: str, now: datetime) -> None:
        """Bar a phone; one that is barred stays as it is."""
        self._bars.setdefault(mac, Bar(number=_number(), mac=mac, spot=spot, since=now))

    def lift(self, mac: str = "", number: str = "") -> int:
        """Lift one bar by MAC or by number, or all without either; how many were lifted."""
        named = [b.mac for b in self._bars.values() if (mac in ("", b.mac)) and (number in ("", b.number))]
        for each in named:
            del self._bars[each]
        return len(named)

    def bars(self) -> list[Bar]:
        """For the database."""
        return list(self._bars.values())

    def shown(self) -> list[p.BlockShown]:
        """For staff."""
        return [p.BlockShown(block=b.number, spot=b.spot, since=b.since, mac=b.mac) for b in self._bars.values()]


def _number() -> str:
    return secrets.token_hex(4)
