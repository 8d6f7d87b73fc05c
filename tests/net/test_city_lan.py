"""What stands behind the uplink on the city's side is out of reach of phones: before and after log-in, by the walled
garden and in disaster mode, in both families, but for what the site file opens.

    [gateway] up0 --- far0 [internet]: router 198.18.0.1, devices on the uplink's own network and on private ones
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from captive_portal.gate import protocol as p
from captive_portal.gate.client import SocketGateClient
from tests.net.topology import FAR4, FAR6, Topology, in_namespace, topology, until

pytestmark = pytest.mark.needs("root", "nft", "ip")

ROUTER = ("198.18.0.1", "2001:db8:f::1")
NEIGHBOURS = ("198.18.0.9", "2001:db8:f::9")
"""On the uplink's own network, which is no private one."""
PRIVATE = ("10.20.0.9", "172.16.3.4", "192.168.1.9", "100.64.0.9", "fd12:3456::9", "64:ff9b::a14:9")
EXCEPTIONS = ("10.20.0.5", "fd12:3456::5", "198.18.0.5")
CITY = (*ROUTER, *NEIGHBOURS, *PRIVATE)
INTERNET = (FAR4, FAR6)
PORTS = {"receipt printer": 9100, "A4 printer": 631, "issuer": 8443, "staff page": 8110, "web": 443}
RENUMBERED, RENUMBERED_DEVICE = "203.0.113.2/24", "203.0.113.9"
OPEN = "open_networks = [{}]".format(", ".join(f'"{to}/{128 if ":" in to else 32}"' for to in EXCEPTIONS))


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """The city's LAN behind the uplink, every device with every port; three addresses are opened."""
    with topology(tmp_path_factory.mktemp("lan"), more=OPEN) as made, ExitStack() as stack:
        for to in (*NEIGHBOURS, *PRIVATE, *EXCEPTIONS, RENUMBERED_DEVICE):
            _ip(made.internet, "addr", "add", to, "dev", "far0" if to in NEIGHBOURS else "lo", *_nodad(to))
        for port in PORTS.values():
            listener = in_namespace(made.internet, lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
            stack.callback(listener.close)
            listener.bind(("::", port))
            listener.listen(256)
        yield made


@pytest.fixture(scope="module")
def gate(plaza: Topology) -> SocketGateClient:
    gate = plaza.start_gate()
    plaza.login(gate, "online")
    until(lambda: reached(plaza, "online", INTERNET) == every_port(INTERNET))
    return gate


def _ip(space: str, *words: str) -> None:
    subprocess.run(["ip", "-n", space, *words], check=True)


def _nodad(address: str) -> list[str]:
    return ["nodad"] if ":" in address else []


def every_port(addresses: tuple[str, ...]) -> set[tuple[str, str]]:
    return {(to, name) for to in addresses for name in PORTS}


def reached(plaza: Topology, name: str, addresses: tuple[str, ...]) -> set[tuple[str, str]]:
    """(address, device) to which a TCP connection of this phone is opened."""
    return {(to, device) for to, device in every_port(addresses) if _connects(plaza, name, to, PORTS[device])}


def _connects(plaza: Topology, name: str, to: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with plaza.phones[name].socket(family, socket.SOCK_STREAM) as phone, suppress(OSError):
        phone.settimeout(0.5)
        phone.connect((to, port))
        return True
    return False


def test_before_log_in_nothing_of_the_city_answers(plaza: Topology, gate: SocketGateClient) -> None:
    assert reached(plaza, "attacker", (*CITY, *EXCEPTIONS, *INTERNET)) == set()


def test_after_log_in_the_internet_answers_and_the_city_does_not(plaza: Topology, gate: SocketGateClient) -> None:
    assert reached(plaza, "online", CITY) == set()
    assert reached(plaza, "online", INTERNET) == every_port(INTERNET)


def test_what_the_site_file_opens_answers_after_log_in(plaza: Topology, gate: SocketGateClient) -> None:
    assert reached(plaza, "online", EXCEPTIONS) == every_port(EXCEPTIONS)


def test_no_datagram_reaches_the_city(plaza: Topology, gate: SocketGateClient) -> None:
    """Multicast and broadcast included, which no connection would show."""
    targets = (*CITY, "198.18.0.255", "224.0.0.251", "255.255.255.255", "169.254.1.1", "fe80::9", "ff05::9")
    plaza.heard_far()
    for to in targets:
        with (
            plaza.phones["online"].socket(socket.AF_INET6 if ":" in to else socket.AF_INET) as phone,
            suppress(OSError),
        ):
            phone.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            phone.sendto(b"hello", (to, 9))
    plaza.let_all_arrive()
    sources = (plaza.phones["online"].ip4, plaza.phones["online"].ip6, "198.18.0.2")
    assert {to for source, to in plaza.heard_far() if source in sources and to in targets} == set()


def test_a_disaster_opens_the_internet_and_not_the_city(plaza: Topology, gate: SocketGateClient) -> None:
    gate.set_disaster(p.SetDisaster(on=True, reason="flood", by="staff", drill=True))
    until(lambda: reached(plaza, "attacker", INTERNET) == every_port(INTERNET))
    assert reached(plaza, "attacker", CITY) == set()
    gate.set_disaster(p.SetDisaster(on=False))


def test_a_name_of_the_walled_garden_opens_no_address_of_the_city(plaza: Topology, gate: SocketGateClient) -> None:
    """dnsmasq puts into the garden what the name's server answers, whatever that is."""
    for to in (*CITY, *INTERNET):
        plaza.nft("add", "element", "inet", "hiroba", "garden6" if ":" in to else "garden4", "{", to, "}")
    assert reached(plaza, "attacker", INTERNET) == every_port(INTERNET)
    assert reached(plaza, "attacker", CITY) == set()
    for kind in ("garden4", "garden6", "garden_used4", "garden_used6"):
        plaza.nft("flush", "set", "inet", "hiroba", kind)


def test_the_uplinks_networks_are_followed_when_they_change(plaza: Topology, gate: SocketGateClient) -> None:
    before = reached(plaza, "online", (RENUMBERED_DEVICE,))
    _ip(plaza.gateway, "addr", "add", RENUMBERED, "dev", "up0")
    _ip(plaza.gateway, "route", "add", f"{RENUMBERED_DEVICE}/32", "via", "198.18.0.1")  # so that it would answer
    until(lambda: reached(plaza, "online", (RENUMBERED_DEVICE,)) == set(), 5.0)
    assert gate.lookup(plaza.phones["online"].ip4).state is p.PhoneState.ONLINE
    assert reached(plaza, "online", INTERNET) == every_port(INTERNET)
    _ip(plaza.gateway, "addr", "del", RENUMBERED, "dev", "up0")
    assert before == every_port((RENUMBERED_DEVICE,))
    until(lambda: reached(plaza, "online", (RENUMBERED_DEVICE,)) == before, 5.0)
