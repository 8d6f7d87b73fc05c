"""Use of the open Wi-Fi in disaster mode: phones per hour and bytes, without identifiers. In memory, without I/O.

The kernel's set holds a MAC for the 90 seconds after its last packet. Here it is a keyed hash; the key is new every
hour and never stored.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from captive_portal.gate.policy.accounting import counter_increase
from device.clock import Clock


@dataclass(slots=True)
class OpenWifiReading:
    """Read from the kernel: (interface, MAC) of phones active in the last 90 seconds; byte counters by interface."""

    phones: set[tuple[str, str]] = field(default_factory=set)
    up: Mapping[str, int] = field(default_factory=dict)
    down: Mapping[str, int] = field(default_factory=dict)


class UsageIncrease(NamedTuple):
    """Since the last ``take``, on one interface: phones not yet counted in this hour, and bytes."""

    interface: str
    phones: int
    bytes_up: int
    bytes_down: int


class DisasterUsage:
    """Counts distinct phones per hour, and bytes, from readings."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hour = ""
        self._key = b""
        self._counted: set[bytes] = set()
        self._bytes: dict[tuple[str, str], int] = {}
        self._phones: Counter[str] = Counter()
        self._byte_increases: Counter[tuple[str, str]] = Counter()

    def start(self, reading: OpenWifiReading) -> None:
        """After a start of the gate: the first reading was counted before."""
        self.observe(reading)
        self.take()

    def observe(self, reading: OpenWifiReading) -> None:
        """Count phones and bytes that are new in ``reading``."""
        self._rotate_hourly_key()
        for interface, mac in reading.phones:
            name = hashlib.blake2b(f"{interface} {mac}".encode(), key=self._key, digest_size=16).digest()
            if name not in self._counted:
                self._counted.add(name)
                self._phones[interface] += 1
        for direction, counters in (("up", reading.up), ("down", reading.down)):
            for interface, count in counters.items():
                last = self._bytes.get((interface, direction), 0)
                self._byte_increases[interface, direction] += counter_increase(last, count)
                self._bytes[interface, direction] = count

    def has_new_phones(self) -> bool:
        """Whether ``take`` would give phones."""
        return bool(self._phones)

    def take(self) -> list[UsageIncrease]:
        """The increase since the last call, by interface."""
        names = {*self._phones, *(interface for interface, _ in self._byte_increases)}
        increases = [
            UsageIncrease(n, self._phones[n], self._byte_increases[n, "up"], self._byte_increases[n, "down"])
            for n in sorted(names)
        ]
        self._phones.clear()
        self._byte_increases.clear()
        return [each for each in increases if any(each[1:])]

    def _rotate_hourly_key(self) -> None:
        hour = self._clock.now().strftime("%Y-%m-%dT%H")
        if hour != self._hour:
            self._hour, self._key = hour, secrets.token_bytes(32)
            self._counted.clear()
