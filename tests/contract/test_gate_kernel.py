"""The packet filter in memory and the kernel's own keep the same contract."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel.memory_packet_filter import MemoryPacketFilter
from captive_portal.gate.kernel.packet_filter import NftPacketFilter, PacketFilter
from captive_portal.gate.kernel.reconcile import Element, ElementName, Plan
from captive_portal.gate.kernel.ruleset import table
from captive_portal.gate.policy.disaster_usage import OpenWifiReading
from device.clock import SystemClock
from tests.captive_portal.gate.sites import a_site, mac, standing
from tests.fixtures.mail_server import wait_for
from tests.net.topology import in_namespace

UP4 = ElementName("up4", f"{mac(1)} . 10.90.0.5")
UP6 = ElementName("up6", f'"br-lan" . {mac(1)}')
LIVE = ElementName("live", "0x0000012c")
BLOCKED = ElementName("blocked", mac(2))
DISASTER = ElementName("disaster", '"br-lan"')
WANTED = {
    UP4: Element(300, 500.0),
    UP6: Element(300, 500.0),
    LIVE: Element(0, 500.0),
    BLOCKED: Element(),
    DISASTER: Element(0, 60 * 86400.0),
}


@pytest.fixture(params=["memory", pytest.param("nft", marks=pytest.mark.needs("root", "nft", "ip"))])
def kernel(request: pytest.FixtureRequest) -> Iterator[PacketFilter]:
    """A kernel with our table in it."""
    if request.param == "memory":
        memory = MemoryPacketFilter(SystemClock())
        memory.install(table(a_site()), [])
        yield memory
        return
    space = f"hk{os.getpid():x}{os.urandom(2).hex()}"
    subprocess.run(["ip", "netns", "add", space], check=True)
    real = in_namespace(space, NftPacketFilter)
    try:
        real.install(table(a_site()), [])
        yield real
    finally:
        real.close()
        subprocess.run(["ip", "netns", "del", space], check=True)


def adding(*names: ElementName) -> Plan:
    return Plan([], [(name, WANTED[name]) for name in names])


def test_what_is_added_is_read_back(kernel: PacketFilter) -> None:
    kernel.apply(adding(*WANTED))
    readings = standing(kernel)
    assert readings.keys() == WANTED.keys()
    for name, wanted in WANTED.items():
        shown = readings[name].element
        assert shown.mark == wanted.mark
        assert shown.seconds == pytest.approx(wanted.seconds, abs=2.0)


def test_what_is_removed_is_gone_even_when_it_was_not_there(kernel: PacketFilter) -> None:
    kernel.apply(adding(UP4, LIVE))
    kernel.apply(Plan([(UP4, WANTED[UP4]), (UP6, WANTED[UP6])], []))
    assert standing(kernel).keys() == {LIVE}


def test_an_element_is_replaced_in_one_step(kernel: PacketFilter) -> None:
    kernel.apply(adding(UP4))
    kernel.apply(Plan([(UP4, WANTED[UP4])], [(UP4, Element(301, 900.0))]))
    assert standing(kernel)[UP4].element.mark == 301


def test_counters_are_read_one_by_one(kernel: PacketFilter) -> None:
    kernel.apply(adding(UP4, UP6, LIVE))
    assert [kernel.read_counter(name) for name in (UP4, UP6, LIVE)] == [0, 0, 0]
    assert kernel.read_counter(ElementName("live", "0x00000999")) is None


def test_many_phones_are_let_in_by_one_transaction_and_read_back(kernel: PacketFilter) -> None:
    many = {ElementName("up4", f"{mac(n)} . 10.90.{n >> 8}.{n & 255}"): Element(300 + n, 500.0) for n in range(5000)}
    kernel.apply(Plan([], list(many.items())))
    marks = {name: element.mark for name, element in many.items()}
    # The kernel enlarges its hash table in the background, and a dump passes some elements by meanwhile.
    wait_for(lambda: {name: reading.element.mark for name, reading in standing(kernel).items()} == marks)


def test_of_a_transaction_that_can_not_be_nothing_is_done(kernel: PacketFilter) -> None:
    kernel.apply(adding(LIVE))
    with pytest.raises(KernelRefused):
        kernel.apply(Plan([(LIVE, WANTED[LIVE])], [(UP6, WANTED[UP6]), (UP4, Element(seconds=5.0))]))  # no mark
    assert standing(kernel).keys() == {LIVE}


def test_a_reading_left_in_the_middle_does_not_stand_in_the_way_of_the_next(kernel: PacketFilter) -> None:
    kernel.apply(adding(UP4, UP6, LIVE))
    next(kernel.readings("up4"))
    assert standing(kernel).keys() == {UP4, UP6, LIVE}


def test_a_new_table_forgets_the_old_elements(kernel: PacketFilter) -> None:
    kernel.apply(adding(UP4))
    before = kernel.structure()
    kernel.install(table(a_site()), adding(LIVE).add)
    assert standing(kernel).keys() == {LIVE}
    assert before
    assert kernel.structure() != before


def test_the_structure_does_not_change_with_elements(kernel: PacketFilter) -> None:
    before = kernel.structure()
    kernel.apply(adding(UP4, LIVE))
    assert kernel.structure() == before


def test_nobody_has_used_the_open_wifi_of_a_disaster_yet(kernel: PacketFilter) -> None:
    assert kernel.read_disaster_usage() == OpenWifiReading()


def test_connections_of_no_one_are_forgotten_without_complaint(kernel: PacketFilter) -> None:
    kernel.delete_connections(300)


def test_without_a_table_elements_are_refused() -> None:
    with pytest.raises(KernelRefused):
        MemoryPacketFilter(SystemClock()).apply(adding(UP4))
