"""DHCP messages of a phone in the name of another, to a real dnsmasq behind the gate: a lease is its phone's own."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator

import pytest

from tests.net import forged_frames as forged
from tests.net import frames
from tests.net.topology import in_namespace, until
from tests.net.whole import Phone, Whole

pytestmark = [pytest.mark.attacks, pytest.mark.needs("root", "nft", "ip", "nginx", "dnsmasq", "dhclient")]
GATEWAY = "10.90.0.1"
NAME = b"\xffthe victim's client identifier"


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    made = Whole(tmp_path_factory.mktemp("dhcp"))
    try:
        made.build()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def victim(plaza: Whole) -> Phone:
    return plaza.phone()


@pytest.fixture(scope="module")
def attacker(plaza: Whole) -> Phone:
    return plaza.phone()


def send(phone: Phone, *messages: bytes) -> None:
    with in_namespace(phone.space, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)) as wire:
        wire.bind(("eth0", 0))
        for message in messages:
            wire.send(message)


def leases(plaza: Whole) -> dict[str, str]:
    """Address -> MAC, once dnsmasq has read what was sent before: its own phone's request has been answered."""
    lines = [line.split() for line in (plaza.state / "dnsmasq/leases").read_text().splitlines()]
    return {line[2]: line[1] for line in lines if len(line) > 3}


def newcomer(plaza: Whole, number: int) -> Phone:
    """A phone that has not asked for an address yet."""
    mac = f"02:00:5e:30:00:{number:02x}"
    return Phone(plaza.plug(mac), mac, plaza.folder, plaza.trust)


def ask(plaza: Whole, phone: Phone, wanted: str, client_id: bytes = b"") -> None:
    """An honest request, repeated until the lease is there: a port that has just joined loses frames."""

    def leased() -> bool:
        send(phone, forged.dhcp(phone.mac, phone.mac, forged.DHCP_REQUEST, wanted=wanted, client_id=client_id))
        time.sleep(0.1)
        return leases(plaza).get(wanted) == phone.mac

    until(leased)


def settled(plaza: Whole, number: int) -> dict[str, str]:
    """The leases after an honest request that came after everything before."""
    ask(plaza, newcomer(plaza, number), f"10.90.2.{number}")
    return leases(plaza)


@pytest.mark.parametrize("kind", [forged.RELEASE, forged.DECLINE])
@pytest.mark.parametrize("source", ["own", "nobody", "victim"])
def test_nobody_gives_up_the_lease_of_another(
    plaza: Whole, victim: Phone, attacker: Phone, kind: int, source: str
) -> None:
    address = {"own": attacker.ip, "nobody": forged.NOBODY, "victim": victim.ip}[source]
    told = forged.dhcp(attacker.mac, victim.mac, kind, source=address, own=victim.ip, wanted=victim.ip, server=GATEWAY)
    send(attacker, told)
    found = settled(plaza, 10 * kind + len(source))
    assert found[victim.ip] == victim.mac


def test_a_client_identifier_of_another_takes_no_lease(plaza: Whole) -> None:
    honest, thief, wanted = newcomer(plaza, 201), newcomer(plaza, 202), "10.90.3.77"
    ask(plaza, honest, wanted, NAME)
    ask(plaza, thief, "10.90.3.78")  # its port is open
    send(thief, forged.dhcp(thief.mac, thief.mac, forged.DHCP_REQUEST, wanted=wanted, client_id=NAME))
    assert settled(plaza, 203)[wanted] == honest.mac


def test_one_phone_takes_no_leases_for_invented_ones(plaza: Whole, attacker: Phone) -> None:
    invented = [f"02:00:77:00:00:{number:02x}" for number in range(20)]
    for number, mac in enumerate(invented):
        send(attacker, forged.dhcp(attacker.mac, mac, forged.DHCP_REQUEST, wanted=f"10.90.3.{100 + number}"))
    found = settled(plaza, 204)
    assert set(invented) & set(found.values()) == set()


def test_no_phone_hears_a_dhcp_server_on_another_phone(plaza: Whole, victim: Phone, attacker: Phone) -> None:
    with in_namespace(
        victim.space, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    ) as ear:
        ear.bind(("eth0", 0x0800))
        ear.settimeout(0.5)
        offer = struct.pack("!BBBB", 2, 1, 6, 0) + b"a false server" + bytes(230)
        packet = frames.ipv4(
            attacker.ip, "255.255.255.255", 17, frames.udp(attacker.ip, "255.255.255.255", 68, offer, 67)
        )
        send(attacker, *[frames.ethernet(forged.BROADCAST, attacker.mac, packet)] * 3)
        end = time.monotonic() + 0.5
        heard = []
        try:
            while time.monotonic() < end:
                heard.append(ear.recv(2000))
        except TimeoutError:
            pass
        assert [frame for frame in heard if b"a false server" in frame] == []
