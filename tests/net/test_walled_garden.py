"""The walled garden from name to packet: Debian's dnsmasq with the rendered file fills the gate's sets.

dnsmasq runs as its own user, as on a box; names are answered by another one on the far side.
"""

from __future__ import annotations

import re
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from captive_portal.gate.client import SocketGateClient
from device.settings import read
from provisioning.box.render.dnsmasq import dnsmasq
from tests.net.gate_process import Site
from tests.net.topology import Topology, in_namespace, topology, until

pytestmark = pytest.mark.needs("root", "nft", "ip", "dnsmasq")
GARDEN, OTHER = "198.19.50.1", "198.19.50.2"
GARDEN6, OTHER6 = "3fff:0:50::1", "3fff:0:50::2"
"""RFC 9637 documentation addresses: those of RFC 3849 are refused by dnsmasq's guard against rebinding."""
MORE = 'garden = ["www.example.jp"]\ndns = ["198.18.0.1"]'
A, AAAA = 1, 28


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """A plaza with names; dnsmasq runs on both sides, the gate does as well."""
    folder = tmp_path_factory.mktemp("garden")
    with topology(folder, more=MORE) as made, ExitStack() as stack:
        for address in (f"{GARDEN6}/128", f"{OTHER6}/128"):
            subprocess.run(["ip", "-n", made.internet, "addr", "add", address, "dev", "lo", "nodad"], check=True)
        names = {f"www.example.jp/{GARDEN}", f"www.example.jp/{GARDEN6}", f"else.example.jp/{OTHER}"}
        answers = [f"--address=/{name}" for name in (*names, f"else.example.jp/{OTHER6}")]
        _run(stack, made.internet, "-C", "/dev/null", "--no-resolv", "--no-hosts", *answers)  # TTL 0: not remembered
        wifi = read(folder / "site.toml", Site).wifi
        (folder / "dnsmasq.conf").write_text(dnsmasq(wifi.spots[0], wifi.portal, folder))
        made.start_gate()  # the sets must stand before names are looked up
        for path in (folder, folder.parent, folder.parent.parent):
            path.chmod(0o755)
        _run(stack, made.gateway, "-C", str(folder / "dnsmasq.conf"))
        yield made


def _run(stack: ExitStack, space: str, *options: str) -> None:
    command = ["ip", "netns", "exec", space, "dnsmasq", "-k", "--pid-file=", *options]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    stack.callback(process.wait, 10)
    stack.callback(process.terminate)


@pytest.fixture
def gate(plaza: Topology) -> SocketGateClient:
    """The gate, with nothing in the garden."""
    for kind in ("garden4", "garden6", "garden_used4", "garden_used6"):
        plaza.nft("flush", "set", "inet", "hiroba", kind)
    return plaza.wait_ready()


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def far(plaza: Topology, request: pytest.FixtureRequest) -> Iterator[dict[str, socket.socket]]:
    """The garden's and the other server on the far side: UDP sockets that the test answers with."""
    addresses = (
        {"garden": GARDEN, "other": OTHER} if request.param == socket.AF_INET else {"garden": GARDEN6, "other": OTHER6}
    )
    made = {}
    for name, address in addresses.items():
        made[name] = in_namespace(plaza.internet, lambda: socket.socket(request.param, socket.SOCK_DGRAM))
        made[name].bind((address, 7000))
        made[name].settimeout(0.3)
    yield made
    for each in made.values():
        each.close()


def look_up(plaza: Topology, name: str, kind: int, phone: str = "attacker") -> bytes:
    """What the box answers to a question of a phone; asked again while dnsmasq starts."""
    question = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0)
    question += b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + struct.pack(
        "!BHH", 0, kind, 1
    )
    answers: list[bytes] = []

    def answered() -> bool:
        with plaza.phones[phone].socket() as asking, suppress(OSError):
            asking.settimeout(0.5)
            asking.sendto(question, ("10.90.0.1", 53))
            answer = asking.recv(512)
            if answer[3] & 15 == 0 and answer[6:8] != b"\0\0":
                answers.append(answer)
        return bool(answers)

    until(answered)
    return answers[0]


def talks(plaza: Topology, far: socket.socket, phone: str = "attacker") -> bool:
    """Does a datagram of this phone reach that server, and its answer come back?"""
    with plaza.phones[phone].socket(far.family) as asking, suppress(OSError):
        asking.settimeout(0.3)
        asking.sendto(b"hello", far.getsockname()[:2])
        _, back = far.recvfrom(100)
        far.sendto(b"hello", back)
        return asking.recv(100) == b"hello"
    return False


def enter(plaza: Topology, far: dict[str, socket.socket], phone: str = "attacker") -> None:
    """Look both names up, as the phone would."""
    kind = A if far["garden"].family == socket.AF_INET else AAAA
    assert far["garden"].getsockname()[0] in _addresses(look_up(plaza, "www.example.jp", kind, phone), kind)
    look_up(plaza, "else.example.jp", kind, phone)


def _addresses(answer: bytes, kind: int) -> str:
    """The address at the end of an answer with one record."""
    size, family = (4, socket.AF_INET) if kind == A else (16, socket.AF_INET6)
    return socket.inet_ntop(family, answer[-size:])


def elements(plaza: Topology, kind: str) -> dict[str, int]:
    """address -> seconds left."""
    shown = plaza.nft("list", "set", "inet", "hiroba", kind)
    found = re.findall(r"([0-9a-f.:]+) (?:timeout \w+ )?expires (?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", shown)
    return {address: int(h or 0) * 3600 + int(m or 0) * 60 + int(s or 0) for address, h, m, s in found}


def test_a_name_of_the_garden_opens_its_address_and_no_other(
    plaza: Topology, gate: SocketGateClient, far: dict[str, socket.socket]
) -> None:
    assert gate.health().ready
    assert not talks(plaza, far["garden"])
    enter(plaza, far)
    until(lambda: talks(plaza, far["garden"]))
    assert not talks(plaza, far["other"])
    assert plaza.leaks("attacker") == set()


def test_an_address_of_the_garden_is_forgotten_after_an_hour(
    plaza: Topology, gate: SocketGateClient, far: dict[str, socket.socket]
) -> None:
    assert gate.health().ready
    enter(plaza, far)
    address, number = far["garden"].getsockname()[0], 4 if far["garden"].family == socket.AF_INET else 6
    assert 3500 < elements(plaza, f"garden{number}")[address] <= 3600
    assert elements(plaza, f"garden_used{number}") == {}
    until(lambda: talks(plaza, far["garden"]))
    assert 3500 < elements(plaza, f"garden_used{number}")[address] <= 3600


def test_an_address_in_use_outlives_the_name_by_its_own_hour_alone(
    plaza: Topology, gate: SocketGateClient, far: dict[str, socket.socket]
) -> None:
    assert gate.health().ready
    enter(plaza, far)
    until(lambda: talks(plaza, far["garden"]))
    address, number = far["garden"].getsockname()[0], 4 if far["garden"].family == socket.AF_INET else 6
    plaza.nft("flush", "set", "inet", "hiroba", f"garden{number}")
    plaza.nft("flush", "set", "inet", "hiroba", f"garden_used{number}")
    plaza.nft("add", "element", "inet", "hiroba", f"garden_used{number}", "{", address, "timeout", "5s", "}")
    until(lambda: talks(plaza, far["garden"]))
    until(lambda: not elements(plaza, f"garden_used{number}"), 15.0)
    assert not talks(plaza, far["garden"])


def test_the_garden_is_there_again_after_a_flush_and_after_a_restart(
    plaza: Topology, gate: SocketGateClient, far: dict[str, socket.socket]
) -> None:
    plaza.login(gate, "online")
    enter(plaza, far, "neighbour")
    number, address = (4, GARDEN) if far["garden"].family == socket.AF_INET else (6, GARDEN6)
    _wait_for_a_look(plaza, gate)
    before = gate.health().repairs
    plaza.nft("flush", "ruleset")
    until(lambda: gate.health().repairs > before, 5.0)
    assert address in elements(plaza, f"garden{number}")
    until(lambda: talks(plaza, far["garden"], "neighbour"))
    assert not talks(plaza, far["other"], "neighbour")
    plaza.stop_gate()
    plaza.start_gate()
    until(lambda: talks(plaza, far["garden"], "neighbour"))
    assert not talks(plaza, far["other"], "neighbour")


def _wait_for_a_look(plaza: Topology, gate: SocketGateClient) -> None:
    """Until the gate has read its counters once more: that is when it learns what stands in the garden."""

    def counted() -> int:
        return sum(s.bytes_up for s in gate.sessions() if s.mac == plaza.phones["online"].mac)

    before = counted()
    with plaza.phones["online"].socket() as phone:
        phone.sendto(b"x", (OTHER, 9))
    until(lambda: counted() > before)
