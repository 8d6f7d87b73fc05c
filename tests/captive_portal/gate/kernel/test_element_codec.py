"""Names and elements in the kernel's own bytes, and back."""

from __future__ import annotations

import socket

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.kernel import element_codec as e
from captive_portal.gate.kernel import netlink
from captive_portal.gate.kernel.reconcile import MAPS, Element, ElementName, ElementReading, Plan

MACS = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))
ADDRESSES = st.ip_addresses(v=4).map(str)
ADDRESSES6 = st.ip_addresses(v=6).map(lambda ip: socket.inet_ntop(socket.AF_INET6, ip.packed))
INTERFACES = st.from_regex(r"[A-Za-z0-9_.@-]{1,15}", fullmatch=True).map('"{}"'.format)
KEYS = {
    "up4": st.builds("{} . {}".format, MACS, ADDRESSES),
    "up6": st.builds("{} . {}".format, INTERFACES, MACS),
    "live": st.integers(256, 2**32 - 1).map("0x{:08x}".format),
    "slow": st.integers(256, 2**32 - 1).map("0x{:08x}".format),
    "blocked": MACS,
    **dict.fromkeys(("leased4", "arp_leased4", "seen4", "arp_seen4"), st.builds("{} . {}".format, ADDRESSES, MACS)),
    **dict.fromkeys(("leased", "arp_leased", "held4", "arp_held4"), ADDRESSES),
    "seen6": st.builds("{} . {}".format, ADDRESSES6, MACS),
    "own6": ADDRESSES6,
    "disaster": INTERFACES,
}
NAMES = st.one_of([st.builds(ElementName, st.just(kind), keys) for kind, keys in KEYS.items()])


@st.composite
def named(draw: st.DrawFn) -> tuple[ElementName, Element]:
    name = draw(NAMES)
    seconds = draw(st.none() | st.integers(1, 10**10).map(lambda ms: ms / 1000))
    return name, Element(draw(st.integers(256, 2**32 - 1)) if name.set in MAPS else 0, seconds)


def shown(body: bytes) -> bytes:
    """What the kernel would answer about elements given to it: the time-out stands as what is left."""
    elements = dict(netlink.attributes(body[4:]))[3]
    turned = b"".join(
        netlink.attribute(
            1, b"".join(netlink.attribute(e.EXPIRATION if kind == e.TIMEOUT else kind, value) for kind, value in facts)
        )
        for facts in (list(netlink.attributes(one)) for _, one in netlink.attributes(elements))
    )
    return body[:4] + netlink.attribute(3, turned)


@given(st.lists(named(), max_size=20, unique_by=lambda one: one[0]))
def test_what_is_written_is_read_back(added: list[tuple[ElementName, Element]]) -> None:
    found: dict[ElementName, ElementReading] = {}
    for kind, body in e.changes(Plan([], added)):
        assert kind == e.NEW
        of = dict(netlink.attributes(body[4:]))[2].rstrip(b"\0").decode()
        found |= dict(e.readings(of, shown(body)))
    assert found.keys() == dict(added).keys()
    for name, element in added:
        left = found[name].element.seconds
        assert found[name].element.mark == element.mark
        assert left == element.seconds or abs((left or 0) - (element.seconds or 0)) <= 0.001


def test_an_element_that_just_timed_out_does_not_fail_its_removal() -> None:
    name, present = ElementName("live", "0x00000100"), Element(0, 5.0)
    first, second = e.changes(Plan([(name, present)], []))
    assert (first[0], second[0]) == (e.NEW, e.DELETE)
    assert first[1] == second[1]  # added for ever if it is not there, then deleted


def test_no_message_is_longer_than_its_attribute_can_say() -> None:
    many = [
        (ElementName("up6", f'"interface-abcde" . 02:00:00:00:{n >> 8:02x}:{n & 255:02x}'), Element(300, 5.0))
        for n in range(1000)
    ]
    bodies = [body for _, body in e.changes(Plan([], many))]
    assert max(map(len, bodies)) < 2**16
    assert sum(len(list(e.readings("up6", body))) for body in bodies) == 1000


@given(st.binary(max_size=80))
def test_attributes_of_anything_are_read_to_an_end(junk: bytes) -> None:
    assert sum(4 + len(value) for _, value in netlink.attributes(junk)) <= len(junk) + 3


@given(st.one_of(ADDRESSES, ADDRESSES6), MACS)
def test_a_first_come_address_is_written_to_its_three_sets_and_read_from_one(address: str, mac: str) -> None:
    steps = [
        (dict(netlink.attributes(body[4:])), body) for kind, body in e.hold_steps([(address, mac)]) if kind == e.NEW
    ]
    names = [facts[2].rstrip(b"\0").decode() for facts, _ in steps]
    family = 6 if ":" in address else 4
    assert names == [f"seen{family}", f"held{family}", f"phone{family}"]
    assert list(e.holders(names[2], steps[2][1])) == [(address, mac)]


def test_a_set_of_arp_lies_in_its_own_table() -> None:
    body = e.get_all_body("arp_leased")
    assert (body[0], dict(netlink.attributes(body[4:]))[1]) == (3, b"hiroba_arp\0")
