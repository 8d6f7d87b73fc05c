"""Phones of a disaster are counted once an hour, and nobody can be named by it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.policy.disaster_usage import DisasterUsage, OpenWifiReading, UsageIncrease
from device.clock import HeldClock
from tests.captive_portal.gate.sites import MORNING, mac


def reading(*numbers: int, up: int = 0, down: int = 0) -> OpenWifiReading:
    return OpenWifiReading({("br-lan", mac(n)) for n in numbers}, {"br-lan": up}, {"br-lan": down})


@given(st.lists(st.sets(st.integers(1, 40)), max_size=12))
def test_a_phone_counts_once_however_often_it_is_seen(looks: list[set[int]]) -> None:
    usage = DisasterUsage(HeldClock(MORNING))
    counted = 0
    for shown in looks:
        usage.observe(reading(*shown))
        counted += sum(grown.phones for grown in usage.take())
    assert counted == len(set().union(*looks))


def test_a_phone_counts_anew_in_the_next_hour() -> None:
    clock = HeldClock(MORNING)
    usage = DisasterUsage(clock)
    usage.observe(reading(1, 2))
    clock.advance(3600)
    usage.observe(reading(2))
    assert [grown.phones for grown in usage.take()] == [3]


def test_bytes_are_growth_even_when_the_kernel_began_anew() -> None:
    usage = DisasterUsage(HeldClock(MORNING))
    usage.observe(reading(up=1000, down=5000))
    assert usage.take() == [UsageIncrease("br-lan", 0, 1000, 5000)]
    usage.observe(reading(up=40, down=5001))
    assert usage.take() == [UsageIncrease("br-lan", 0, 40, 1)]
    assert usage.take() == []


def test_what_a_killed_gate_had_counted_is_not_counted_again() -> None:
    usage = DisasterUsage(HeldClock(MORNING))
    usage.start(reading(1, up=700))
    usage.observe(reading(1, 2, up=900))
    assert usage.take() == [UsageIncrease("br-lan", 1, 200, 0)]


def test_no_mac_is_kept_in_memory() -> None:
    usage = DisasterUsage(HeldClock(MORNING))
    usage.observe(reading(1))
    assert mac(1).encode() not in repr(vars(usage)).encode()
