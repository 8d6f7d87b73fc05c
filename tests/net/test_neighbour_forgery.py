"""A phone with its own MAC and lease that tells the box, by forged ARP and neighbour discovery, that its address is at
another phone's MAC, or another's address at its own: it stays who its frames say it is.
"""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest

from tests.net import forged_frames as forged
from tests.net.topology import in_namespace, until
from tests.net.whole import PORTAL, SITE6, Phone, Whole, page_of, token_of

pytestmark = [pytest.mark.attacks, pytest.mark.needs("root", "nft", "ip", "nginx", "dnsmasq", "curl", "dhclient")]
GATEWAY4, GATEWAY6 = "10.90.0.1", "fd00:90::1"
LOCKED = 1.15
"""Seconds for which the kernel takes no second ARP reply for an address (locktime)."""


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    made = Whole(tmp_path_factory.mktemp("forgery"), SITE6)
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


class Connection:
    """One TLS connection of a phone to the portal; requests are sent and answers read apart from each other."""

    def __init__(self, phone: Phone, source: str) -> None:
        family, gateway = (socket.AF_INET6, GATEWAY6) if ":" in source else (socket.AF_INET, GATEWAY4)
        plain = in_namespace(phone.space, lambda: socket.socket(family, socket.SOCK_STREAM))
        plain.settimeout(15)
        plain.bind((source, 0))
        plain.connect((gateway, 443))
        context = ssl.create_default_context(cafile=str(phone.trust))
        self._tls = context.wrap_socket(plain, server_hostname=PORTAL)

    def send(self, path: str, **form: str) -> None:
        body = urlencode(form).encode()
        head = f"{'POST' if form else 'GET'} {path} HTTP/1.1\r\nHost: {PORTAL}\r\nAccept-Language: en\r\n"
        if form:
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        self._tls.sendall(head.encode() + b"\r\n" + body)

    def receive(self) -> str:
        """The next answer; chunked bodies are read to their last chunk."""
        read = b""
        while True:
            head, found, body = read.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if found and (len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")):
                return read.decode()
            chunk = self._tls.recv(65536)
            assert chunk, read
            read += chunk

    def ask(self, path: str, **form: str) -> str:
        self.send(path, **form)
        return self.receive()


def wire_of(phone: Phone) -> socket.socket:
    made = in_namespace(phone.space, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    made.bind(("eth0", 0))
    return made


def ip(space: str, words: str) -> str:
    return subprocess.run(["ip", "-n", space, *words.split()], check=True, capture_output=True, text=True).stdout


def six_of(phone: Phone) -> str:
    """The phone's own IPv6 address in the spot's network, once it has made one."""
    found: list[str] = []

    def has() -> bool:
        shown = ip(phone.space, "-6 address show dev eth0 scope global -tentative")
        found[:] = re.findall(r"inet6 (fd00:90:[0-9a-f:]+)/", shown)
        return bool(found)

    until(has, 30)
    return found[0]


def gateway_mac(plaza: Whole) -> str:
    found = re.search(r"link/ether (\S+)", ip(plaza.gateway, "link show br-lan"))
    assert found
    return found[1]


Tell = Callable[[str], None]
"""Tell the box that the attacker's address is at this MAC."""


def liar(plaza: Whole, attacker: Phone, family: int) -> tuple[str, Tell]:
    """(the attacker's address, how it lies about it)."""
    wire, box = wire_of(attacker), gateway_mac(plaza)
    if family == 6:
        own = six_of(attacker)

        def tell6(mac: str) -> None:
            flags = forged.OVERRIDE
            wire.send(forged.advertisement(attacker.mac, own, own, mac, (GATEWAY6, box), flags=flags))
            time.sleep(0.05)

        return own, tell6

    def tell4(mac: str) -> None:
        time.sleep(LOCKED)
        wire.send(forged.arp(attacker.mac, mac, attacker.ip, GATEWAY4, to=box))
        time.sleep(0.05)

    return attacker.ip, tell4


def as_the_victim(plaza: Whole, attacker: Phone, victim: Phone, family: int, path: str, **form: str) -> str:
    """What the attacker gets for a request during which its address is said to be at the victim's MAC."""
    own, tell = liar(plaza, attacker, family)
    connection = Connection(attacker, own)
    page = connection.ask("/")
    if form:
        form["token"] = token_of(page)
    tell(victim.mac)
    connection.send(path, **form)
    time.sleep(0.4)
    tell(attacker.mac)
    return connection.receive()


@pytest.fixture(autouse=True)
def nobody_online(plaza: Whole) -> Iterator[None]:
    """Every session is ended after each test."""
    yield
    for shown in plaza.online():
        plaza.hiroba("wifi", "end", shown["session"])


@pytest.mark.parametrize("family", [4, 6])
def test_a_phone_sees_its_own_page_whatever_it_says_about_its_address(
    plaza: Whole, victim: Phone, attacker: Phone, family: int
) -> None:
    assert page_of(victim.log_in()) == "online"
    page = as_the_victim(plaza, attacker, victim, family, "/")
    assert page_of(page) in {"welcome", "ended"}


@pytest.mark.parametrize("family", [4, 6])
def test_a_phone_does_not_end_the_session_of_another(plaza: Whole, victim: Phone, attacker: Phone, family: int) -> None:
    assert page_of(victim.log_in()) == "online"
    as_the_victim(plaza, attacker, victim, family, "/logout", gone="1")
    assert [s["mac"] for s in plaza.online()] == [victim.mac]


@pytest.mark.parametrize("family", [4, 6])
def test_a_phone_gets_no_token_of_another_and_moves_no_session(
    plaza: Whole, victim: Phone, attacker: Phone, family: int
) -> None:
    assert page_of(victim.log_in()) == "online"
    page = as_the_victim(plaza, attacker, victim, family, "/extend", more="1")
    tokens = re.findall(r"resume\?[^\"]*token=([^\"&]+)", page)
    for token in tokens:
        connection = Connection(attacker, liar(plaza, attacker, family)[0])
        connection.ask("/resume", token=token_of(connection.ask("/")), resume_token=token)
    assert [s["mac"] for s in plaza.online()] == [victim.mac]
    assert tokens == []


def test_the_form_of_a_phone_opens_the_gate_for_itself_alone(plaza: Whole, victim: Phone, attacker: Phone) -> None:
    """By IPv6; by IPv4 the lease of the address is the victim's."""
    own, wire, to = six_of(victim), wire_of(attacker), (GATEWAY6, gateway_mac(plaza))
    connection = Connection(victim, own)
    token = token_of(connection.ask("/"))
    wire.send(forged.advertisement(attacker.mac, six_of(attacker), own, attacker.mac, to))
    time.sleep(0.05)
    connection.send("/login", token=token, method="one_tap")
    time.sleep(0.4)
    wire.send(forged.advertisement(attacker.mac, six_of(attacker), own, victim.mac, to))
    assert page_of(connection.receive()) == "online"
    assert [s["mac"] for s in plaza.online()] == [victim.mac]
    assert not attacker.passes()
