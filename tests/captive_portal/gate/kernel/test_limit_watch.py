"""Pools that are nearly used and limits that were reached are told, once, and not for ever."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import msgspec
import pytest

from captive_portal.gate.kernel.lease_limits import pool_size
from captive_portal.gate.kernel.limit_watch import TOLD_SECONDS, LimitWatch
from captive_portal.gate.kernel.memory_packet_filter import MemoryPacketFilter
from captive_portal.gate.protocol import Health, LeasePool
from captive_portal.settings import DhcpSettings, WifiSettings
from device.clock import HeldClock
from device.logs import open_log
from provisioning.doctor.checks.wifi import judge_limits
from tests.captive_portal.gate.sites import MORNING, a_spot

POOL = DhcpSettings(first="10.90.0.10", last="10.90.0.19", leases="leases")


class Watched:
    """A spot of ten addresses, its lease file and its packet filter."""

    def __init__(self, folder: Path) -> None:
        self.file, self.said, self.clock = folder / "leases", StringIO(), HeldClock(MORNING)
        self.kernel = MemoryPacketFilter(self.clock)
        self.kernel.install("table", [])
        settings = WifiSettings(spots=[msgspec.structs.replace(a_spot(), dhcp=POOL)])
        self.watch = LimitWatch(settings, folder, self.kernel, self.clock, open_log("gate", self.said))

    def lease(self, count: int, ends: int | None = None) -> None:
        until = int(MORNING.timestamp()) + 60 if ends is None else ends
        self.file.write_text("".join(f"{until} 02:00:00:00:00:{n:02x} 10.90.0.{n + 10} * *\n" for n in range(count)))

    def check(self) -> list[str]:
        """The events that a check logged."""
        at = len(self.said.getvalue())
        self.watch.check()
        return [json.loads(line)["event"] for line in self.said.getvalue()[at:].splitlines()]

    def findings(self) -> list[str]:
        health = Health(ready=True, online=0, repairs=0, pools=self.watch.pools, limits=self.watch.limits())
        return [finding.code for finding in judge_limits(health)]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_pool_is_told_at_four_fifths_and_once(watched: Watched) -> None:
    assert pool_size(POOL) == 10
    watched.lease(7)
    assert (watched.check(), watched.findings()) == ([], [])
    watched.lease(8)
    assert (watched.check(), watched.check()) == (["leases_nearly_used"], [])
    assert watched.watch.pools == [LeasePool(spot="hall", used=8, size=10)]
    assert watched.findings() == ["wifi.leases_nearly_used"]


def test_leases_that_ended_and_lines_of_dhcpv6_do_not_count(watched: Watched) -> None:
    watched.lease(9, ends=int(MORNING.timestamp()) - 1)
    with watched.file.open("a") as file:
        file.write("duid 00:01:00:01\n1796086281 1 fd00::1 * *\n0 02:00:00:00:00:99 10.90.0.19 * *\n")
    watched.check()
    assert watched.watch.pools[0].used == 1


def test_without_a_lease_file_nothing_is_leased(watched: Watched) -> None:
    assert watched.check() == []
    assert watched.watch.pools[0].used == 0


@pytest.mark.parametrize(
    ("counter", "few", "many", "code"),
    [("dns_over", 99, 300, "wifi.limit_dns"), ("leases_over", 19, 60, "wifi.limit_leases")],
)
def test_a_limit_that_was_reached_is_told_for_ten_minutes(
    watched: Watched, counter: str, few: int, many: int, code: str
) -> None:
    watched.kernel.dropped = {counter: few}
    assert (watched.check(), watched.findings()) == ([], [])
    watched.kernel.dropped = {counter: many}
    assert (watched.check(), watched.findings()) == (["limit_reached"], [code])
    watched.kernel.dropped = {counter: 2 * many}
    assert watched.check() == []
    watched.clock.advance(TOLD_SECONDS + 1)
    assert watched.findings() == []


def test_counters_of_a_table_that_was_installed_anew_count_from_zero(watched: Watched) -> None:
    watched.kernel.dropped = {"dns_over": 5000}
    watched.check()
    watched.clock.advance(TOLD_SECONDS + 1)
    watched.kernel.dropped = {"dns_over": 120}
    assert watched.check() == ["limit_reached"]


def test_phones_with_a_lease_are_known_to_the_packet_filter(watched: Watched) -> None:
    watched.lease(2)
    watched.check()
    known = sorted(name.key for name, _ in watched.kernel.readings("dhcp_clients"))
    assert known == [f"02:00:00:00:00:0{n} . 02:00:00:00:00:0{n}" for n in range(2)]


def test_a_packet_filter_without_its_table_stops_nothing(watched: Watched) -> None:
    watched.kernel.refuse = True
    watched.lease(9)
    assert watched.check() == ["leases_nearly_used"]
