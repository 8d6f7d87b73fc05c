"""Frames by which a phone claims another's address: the box neither believes them nor sends anything there; and what
honest phones do with their addresses goes on.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from captive_portal.gate import protocol as p
from captive_portal.gate.client import SocketGateClient
from tests.net import forged_frames as forged
from tests.net import frames
from tests.net.topology import FAR4, FAR6, GATEWAY_MAC, Phone, Topology, in_namespace, topology, until

pytestmark = [pytest.mark.attacks, pytest.mark.needs("root", "nft", "ip")]
GATEWAY4, GATEWAY6 = "10.90.0.1", "fd00:90::1"
TO_BOX = (GATEWAY6, GATEWAY_MAC)
TO_ALL = (forged.ALL_NODES, forged.ALL_NODES_MAC)
OPTIONS = bytes([60, 58, 0, 1, 4, 0, 0, 0, 0])
"""A header of destination options before ICMPv6."""
DHCP = 'dhcp = {{ first = "10.90.0.10", last = "10.90.3.250", leases = "leases" }}'


class Plaza(NamedTuple):
    net: Topology
    gate: SocketGateClient
    leased: bool


def write_leases(net: Topology, pairs: Sequence[tuple[str, str]]) -> None:
    """As dnsmasq does: in place."""
    text = "".join(f"4102444800 {mac} {ip} * 01:{mac}\n" for ip, mac in pairs)
    (net.folder / "leases").write_text(text, "ascii")


@pytest.fixture(scope="module", params=["leased", "first_come"])
def plaza(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plaza]:
    leased = request.param == "leased"
    more = DHCP.format() if leased else ""
    with topology(tmp_path_factory.mktemp(request.param), more=more) as net:
        write_leases(net, [(phone.ip4, phone.mac) for phone in net.phones.values()])
        gate = net.start_gate()
        net.login(gate, "online")
        yield Plaza(net, gate, leased)


class Talk:
    """The victim's conversation with a far host, which sends when it is told to."""

    def __init__(self, net: Topology, family: int) -> None:
        kind, host = (socket.AF_INET6, FAR6) if family == 6 else (socket.AF_INET, FAR4)
        victim = net.phones["online"]
        self.far = in_namespace(net.internet, lambda: socket.socket(kind, socket.SOCK_DGRAM))
        self.far.bind((host, 0))
        self.far.settimeout(5)
        self.phone = victim.socket(kind)
        self.phone.bind((victim.ip6 if family == 6 else victim.ip4, 0))
        self.phone.settimeout(5)
        self.phone.sendto(b"hello", (host, self.far.getsockname()[1]))
        self.back = self.far.recvfrom(100)[1]

    def arrives(self, number: int) -> bool:
        """Does what the far host sends now reach the victim?"""
        word = b"for the victim %d" % number
        self.far.sendto(word, self.back)
        with suppress(TimeoutError):
            while self.phone.recv(100) != word:
                pass
            return True
        return False

    def close(self) -> None:
        self.far.close()
        self.phone.close()


Lies = dict[str, Callable[[Phone, Phone], list[bytes]]]
"""Name -> the frames that phone ``a`` sends to have what is meant for phone ``v``."""
LIES4: Lies = {
    "reply": lambda a, v: [forged.arp(a.mac, a.mac, v.ip4, GATEWAY4, to=GATEWAY_MAC)],
    "gratuitous reply": lambda a, v: [forged.arp(a.mac, a.mac, v.ip4, v.ip4)],
    "gratuitous request": lambda a, v: [forged.arp(a.mac, a.mac, v.ip4, v.ip4, kind=forged.REQUEST)],
    "request for the gateway": lambda a, v: [forged.arp(a.mac, a.mac, v.ip4, GATEWAY4, kind=forged.REQUEST)],
    "frame of another sender": lambda a, v: [forged.arp("02:00:00:00:00:77", a.mac, v.ip4, GATEWAY4)],
    "tag of priority": lambda a, v: [forged.tagged(forged.arp(a.mac, a.mac, v.ip4, GATEWAY4), 0)],
    "tag of a VLAN": lambda a, v: [forged.tagged(forged.arp(a.mac, a.mac, v.ip4, GATEWAY4), 5)],
    "datagram": lambda a, v: [
        frames.ethernet(GATEWAY_MAC, a.mac, frames.ipv4(v.ip4, GATEWAY4, 17, frames.udp(v.ip4, GATEWAY4, 53, b"x")))
    ],
}
LIES6: Lies = {
    "override": lambda a, v: [forged.advertisement(a.mac, a.ip6, v.ip6, a.mac, TO_BOX)],
    "override from the victim's address": lambda a, v: [forged.advertisement(a.mac, v.ip6, v.ip6, a.mac, TO_BOX)],
    "unsolicited to all": lambda a, v: [forged.advertisement(a.mac, a.ip6, v.ip6, a.mac, TO_ALL)],
    "solicited": lambda a, v: [
        forged.advertisement(a.mac, v.ip6, v.ip6, a.mac, TO_BOX, flags=forged.SOLICITED | forged.OVERRIDE)
    ],
    "without a MAC": lambda a, v: [forged.advertisement(a.mac, v.ip6, v.ip6, "", TO_BOX)],
    "solicitation": lambda a, v: [forged.solicitation(a.mac, v.ip6, GATEWAY6, a.mac, TO_BOX)],
    "router solicitation": lambda a, v: [forged.router_solicitation(a.mac, v.ip6, a.mac)],
    "address detection": lambda a, v: [forged.solicitation(a.mac, "::", v.ip6, "", TO_ALL)],
    "behind an extension header": lambda a, v: [
        forged.advertisement(a.mac, a.ip6, v.ip6, a.mac, TO_BOX, before=OPTIONS)
    ],
    "in fragments": lambda a, v: forged.fragments6(forged.advertisement(a.mac, a.ip6, v.ip6, a.mac, TO_BOX)),
    "in one fragment": lambda a, v: forged.fragments6(forged.advertisement(a.mac, a.ip6, v.ip6, a.mac, TO_BOX), 400),
    "tag of priority": lambda a, v: [forged.tagged(forged.advertisement(a.mac, a.ip6, v.ip6, a.mac, TO_BOX), 0)],
}
ALL = [(4, name) for name in LIES4] + [(6, name) for name in LIES6]


def lies(family: int, name: str, a: Phone, v: Phone) -> list[bytes]:
    return (LIES6 if family == 6 else LIES4)[name](a, v)


def ear_of(phone: Phone) -> socket.socket:
    made = in_namespace(phone.space, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
    made.bind(("eth0", 3))
    made.setblocking(False)
    return made


def heard(ear: socket.socket, word: bytes) -> bool:
    with suppress(BlockingIOError):
        while True:
            if word in ear.recv(2000):
                return True
    return False


@pytest.mark.parametrize(("family", "name"), ALL)
def test_what_is_sent_to_a_phone_is_not_drawn_away(plaza: Plaza, family: int, name: str) -> None:
    attacker, victim = plaza.net.phones["attacker"], plaza.net.phones["online"]
    talk = Talk(plaza.net, family)
    with ear_of(attacker) as ear:
        for number in range(3):
            attacker.put_on_wire(lies(family, name, attacker, victim))
            time.sleep(0.05)
            assert talk.arrives(number)
        assert not heard(ear, b"for the victim")
    talk.close()


@pytest.mark.parametrize(("family", "name"), ALL)
def test_who_a_phone_is_does_not_change_by_what_is_said(plaza: Plaza, family: int, name: str) -> None:
    """Neither by "your address is at my MAC" nor by "my address is at your MAC"."""
    attacker, victim = plaza.net.phones["attacker"], plaza.net.phones["online"]
    addresses = [(phone.ip6 if family == 6 else phone.ip4) for phone in (attacker, victim)]
    before = [plaza.gate.lookup(ip).phone for ip in addresses]
    assert before[0] != before[1]
    mine = Phone(attacker.space, 0)
    mine.mac, mine.ip4, mine.ip6 = victim.mac, attacker.ip4, attacker.ip6
    own_place = Phone(attacker.space, 0)
    own_place.mac, own_place.ip4, own_place.ip6 = attacker.mac, attacker.ip4, attacker.ip6
    attacker.put_on_wire(lies(family, name, attacker, victim))
    attacker.put_on_wire([_from(frame, attacker.mac) for frame in lies(family, name, mine, own_place)])
    time.sleep(0.05)
    assert [plaza.gate.lookup(ip).phone for ip in addresses] == before


def _from(frame: bytes, mac: str) -> bytes:
    """The frame under the MAC of its real sender."""
    return frame[:6] + frames.hexed(mac) + frame[12:]


def test_the_advertisement_of_a_phone_makes_no_router_of_it(plaza: Plaza) -> None:
    """Also on a box that would believe one."""
    attacker = plaza.net.phones["attacker"]
    sysctl = "net.ipv6.conf.br-lan.accept_ra=2"
    subprocess.run(["ip", "netns", "exec", plaza.net.gateway, "sysctl", "-q", sysctl], check=True)
    link_local = own_link_local(attacker)
    attacker.put_on_wire([forged.router_advertisement(attacker.mac, link_local, "2001:db8:bad::")])
    until(lambda: plaza.gate.health().ready)
    time.sleep(0.2)
    assert ip(plaza.net.gateway, "-6 route show default dev br-lan") == ""
    assert "2001:db8:bad" not in ip(plaza.net.gateway, "-6 address show dev br-lan")


def own_link_local(phone: Phone) -> str:
    found = re.search(r"inet6 (fe80:\S+)/64", ip(phone.space, "-6 address show dev eth0"))
    assert found
    return found[1]


def ip(space: str, words: str) -> str:
    return subprocess.run(["ip", "-n", space, *words.split()], check=True, capture_output=True, text=True).stdout


def test_the_box_keeps_its_address_although_a_phone_says_it_has_it(plaza: Plaza) -> None:
    """While it takes the address (detection of duplicates)."""
    net, attacker = plaza.net, plaza.net.phones["attacker"]
    for name in ("all", "br-lan"):
        sysctl = f"net.ipv6.conf.{name}.accept_dad=1"
        subprocess.run(["ip", "netns", "exec", net.gateway, "sysctl", "-q", sysctl], check=True)
    ip(net.gateway, f"-6 address del {GATEWAY6}/64 dev br-lan")
    ip(net.gateway, f"-6 address add {GATEWAY6}/64 dev br-lan")
    claims = [
        forged.advertisement(attacker.mac, attacker.ip6, GATEWAY6, attacker.mac, TO_ALL),
        forged.solicitation(attacker.mac, "::", GATEWAY6, "", TO_ALL),
    ]
    until(lambda: _settled(net, attacker, claims))
    assert "dadfailed" not in ip(net.gateway, "-6 address show dev br-lan")


def _settled(net: Topology, attacker: Phone, claims: list[bytes]) -> bool:
    attacker.put_on_wire(claims)
    return "tentative" not in ip(net.gateway, f"-6 address show dev br-lan to {GATEWAY6}")


def test_a_phone_has_as_many_ipv6_addresses_as_it_likes(plaza: Plaza) -> None:
    """RFC 4941: temporary addresses beside the stable one, all of one MAC."""
    victim = plaza.net.phones["online"]
    own = [f"fd00:90::5:{number}" for number in range(1, 9)]
    for address in own:
        ip(victim.space, f"-6 address replace {address}/64 dev eth0 nodad")
    far = in_namespace(plaza.net.internet, lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    with far:
        far.bind((FAR6, 7100))
        far.settimeout(5)
        for address in own:
            with victim.socket(socket.AF_INET6) as phone:
                phone.bind((address, 0))
                phone.sendto(b"hello", (FAR6, 7100))
                _, back = far.recvfrom(100)
                far.sendto(b"answer", back)
                assert phone.recv(100) == b"answer"
            assert plaza.gate.lookup(address).phone == plaza.gate.lookup(victim.ip6).phone


def test_static_neighbours_hold_while_every_piece_is_gone(plaza: Plaza) -> None:
    """After ``nft flush ruleset``, with the gate killed. What is said changes nothing about where a phone's packets go,
    and when the gate is back, its addresses are still its own.
    """
    net, attacker, victim = plaza.net, plaza.net.phones["attacker"], plaza.net.phones["online"]
    talks = [Talk(net, family) for family in (4, 6)]
    until(lambda: all(f"{a} lladdr {victim.mac} PERMANENT" in _table(net) for a in (victim.ip4, victim.ip6)))
    net.stop_gate(signal.SIGKILL)
    net.nft("flush", "ruleset")
    for family, name in ALL:
        attacker.put_on_wire(lies(family, name, attacker, victim))
    time.sleep(0.2)
    shown = _table(net)
    assert all(f"{a} lladdr {victim.mac} PERMANENT" in shown for a in (victim.ip4, victim.ip6))
    gate = net.start_gate()
    for family, name in ALL:
        attacker.put_on_wire(lies(family, name, attacker, victim))
    assert [talk.arrives(1) for talk in talks] == [True, True]
    assert gate.lookup(victim.ip6).phone == gate.lookup(victim.ip4).phone != gate.lookup(attacker.ip6).phone
    for talk in talks:
        talk.close()


def _table(net: Topology) -> str:
    return ip(net.gateway, "neigh show dev br-lan")


def test_a_lease_that_goes_to_another_phone_leaves_the_former_one_without(tmp_path: Path) -> None:
    with topology(tmp_path, more=DHCP.format()) as net:
        old, new = net.phones["online"], net.phones["neighbour"]
        write_leases(net, [(old.ip4, old.mac)])
        gate = net.start_gate()
        net.login(gate, "online")
        write_leases(net, [(old.ip4, new.mac)])
        until(lambda: f"{old.ip4} lladdr {new.mac}" in _table(net))
        assert "v4 https" not in net.leaks("online")
        assert gate.lookup(old.ip4).state is p.PhoneState.WAITING  # the new phone's, which has not logged in
        assert isinstance(gate.open(p.Open(ip=old.ip6, method="one_tap")), p.Refused)
        write_leases(net, [(old.ip4, old.mac)])
        until(lambda: f"{old.ip4} lladdr {old.mac}" in _table(net))
        assert "v4 https" in net.leaks("online")


def test_a_phone_with_an_address_of_its_own_choice_sees_the_page_and_gets_no_session(tmp_path: Path) -> None:
    with topology(tmp_path, more=DHCP.format()) as net:
        gate = net.start_gate()
        phone = net.phones["online"]
        assert gate.lookup(phone.ip4).state is p.PhoneState.WAITING
        refused = gate.open(p.Open(ip=phone.ip4, method="one_tap"))
        assert refused == p.Refused(refused=p.RefusalReason.NO_LEASE)
        assert "v4 https" not in net.leaks("online")
