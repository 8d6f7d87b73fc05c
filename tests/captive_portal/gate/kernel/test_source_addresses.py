"""Which IPv6 addresses are a session's: those sent from since it began, however slow the kernel's list is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from captive_portal.gate.kernel.address_log_rules import KEPT_SECONDS, SET
from captive_portal.gate.kernel.memory_packet_filter import MemoryPacketFilter
from captive_portal.gate.kernel.reconcile import Element, ElementName, ElementReading, Plan
from captive_portal.gate.kernel.source_addresses import SourceAddresses
from captive_portal.gate.policy.session import Session
from device.clock import HeldClock
from tests.captive_portal.gate.sites import MORNING, ip, mac


class SlowPacketFilter(MemoryPacketFilter):
    """Each list takes ``seconds``."""

    def __init__(self, clock: HeldClock) -> None:
        super().__init__(clock)
        self.seconds, self._held = 0.0, clock

    def readings(self, kind: str) -> Iterator[tuple[ElementName, ElementReading]]:
        """See PacketFilter."""
        self._held.advance(self.seconds)
        yield from super().readings(kind)


def session(clock: HeldClock) -> Session:
    begun = clock.now()
    return Session("s", "hall", mac(1), ip(1), 1, "one_tap", "ja", "", "", "x", started_at=begun, since=0.0, ends=9e9)


@pytest.mark.parametrize(("seconds", "before", "logged"), [(0.0, 0.0, True), (0.3, 0.005, True), (0.0, 5.0, False)])
def test_an_address_is_the_session_s_that_sent_from_it(seconds: float, before: float, logged: bool) -> None:
    clock = HeldClock(MORNING)
    kernel = SlowPacketFilter(clock)
    kernel.install("t", [])
    kernel.apply(Plan([], [(ElementName(SET, f"{mac(1)} . fd00::1"), Element(0, KEPT_SECONDS))]))
    clock.advance(before)
    present = session(clock)
    clock.advance(60)
    kernel.seconds = seconds
    assert SourceAddresses(kernel, clock).of(present) == (["fd00::1"] if logged else [])
    assert clock.now() - present.started_at >= timedelta(seconds=60)
