"""The open Wi-Fi of a disaster, counted without identifiers: how many phones an hour, how many bytes. Pure memory.

A MAC stands in the kernel's set for the 90 seconds after its last packet, and here as a hash under a key that is made
anew every hour and written nowhere.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from captive_portal.gate.policy.accounting import growth
from device.clock import Clock


@dataclass(slots=True)
class Seen:
    """What the kernel shows: (interface, MAC) of phones active in the last 90 seconds; bytes by interface, ever."""

    phones: set[tuple[str, str]] = field(default_factory=set)
    up: Mapping[str, int] = field(default_factory=dict)
    down: Mapping[str, int] = field(default_factory=dict)


class Growth(NamedTuple):
    """Since last taken, on one interface: phones not yet counted in this hour, and bytes."""

    interface: str
    phones: int
    bytes_up: int
    bytes_down: int


class Crowd:
    """Counts what it is shown."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hour = ""
        self._key = b""
        self._known: set[bytes] = set()
        self._bytes: dict[tuple[str, str], int] = {}
        self._phones: Counter[str] = Counter()
        self._grown: Counter[tuple[str, str]] = Counter()

    def begin(self, seen: Seen) -> None:
        """After a start of the gate: what the kernel shows was counted before."""
        self.note(seen)
        self.take()

    def note(self, seen: Seen) -> None:
        """Count what is new."""
        self._turn_hour()
        for interface, mac in seen.phones:
            name = hashlib.blake2b(f"{interface} {mac}".encode(), key=self._key, digest_size=16).digest()
            if name not in self._known:
                self._known.add(name)
                self._phones[interface] += 1
        for way, shown in (("up", seen.up), ("down", seen.down)):
            for interface, count in shown.items():
                self._grown[interface, way] += growth(self._bytes.get((interface, way), 0), count)
                self._bytes[interface, way] = count

    def has_new_phones(self) -> bool:
        """Are there phones to take?"""
        return bool(self._phones)

    def take(self) -> list[Growth]:
        """What grew since the last call."""
        names = {*self._phones, *(interface for interface, _ in self._grown)}
        grown = [Growth(n, self._phones[n], self._grown[n, "up"], self._grown[n, "down"]) for n in sorted(names)]
        self._phones.clear()
        self._grown.clear()
        return [g for g in grown if any(g[1:])]

    def _turn_hour(self) -> None:
        hour = self._clock.now().strftime("%Y-%m-%dT%H")
        if hour != self._hour:
            self._hour, self._key = hour, secrets.token_bytes(32)
            self._known.clear()
