"""What the site file says is what the kernel does: IPv6 off, rates, the walled garden, closed networks."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from captive_portal.gate.client import SocketGateClient
from tests.net.attempts import ATTEMPTS, target
from tests.net.topology import FAR4, Topology, in_namespace, topology

pytestmark = pytest.mark.needs("root", "nft", "ip")

LARGE_EAR = 33
"""SO_RCVBUFFORCE: the ear of a socket holds some ninety datagrams of its own."""
CLOSED = next(n for n, attempt in enumerate(ATTEMPTS) if attempt.name == "v4 ssh")


@pytest.fixture(scope="module")
def slow_plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """A plaza without IPv6, with 800 kbit/s for each phone."""
    limits = "minutes_per_visit = 60, up_kbit = 800, down_kbit = 800"
    with topology(
        tmp_path_factory.mktemp("slow"), ipv6="off", limits=limits, more=f'closed_networks = ["{target(CLOSED)}/32"]'
    ) as made:
        yield made


@pytest.fixture(scope="module")
def gate(slow_plaza: Topology) -> SocketGateClient:
    client = slow_plaza.start_gate()
    slow_plaza.login(client, "online")
    return client


@pytest.fixture
def far(slow_plaza: Topology) -> Iterator[socket.socket]:
    made = in_namespace(slow_plaza.internet, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    made.bind((FAR4, 7000))
    made.settimeout(0.3)
    made.setsockopt(socket.SOL_SOCKET, LARGE_EAR, 1 << 22)
    yield made
    made.close()


def _heard(heard: socket.socket) -> int:
    count = 0
    with suppress(TimeoutError):
        while heard.recv(2000):
            count += 1
    return count


def _most(began: float) -> float:
    """Datagrams of 1,028 bytes that 800 kbit/s let through since ``began``: a second and a half's worth at once, then
    98 a second; ten more for the clock.
    """
    return 156 + 100 * (time.monotonic() - began)


def test_ipv6_that_is_off_is_off_for_all(slow_plaza: Topology, gate: SocketGateClient) -> None:
    through = slow_plaza.leaks("online")
    assert {name for name in through if name.startswith("v6")} == set()
    assert "v4 https" in through


def test_a_closed_network_is_closed_to_online_phones(slow_plaza: Topology, gate: SocketGateClient) -> None:
    through = slow_plaza.leaks("online")
    assert ATTEMPTS[CLOSED].name not in through
    assert "v4 smtp" in through


def test_uploads_keep_to_the_rate_of_each_phone(
    slow_plaza: Topology, gate: SocketGateClient, far: socket.socket
) -> None:
    slow_plaza.login(gate, "ended")
    with slow_plaza.phones["online"].socket() as phone, slow_plaza.phones["ended"].socket() as other:
        began = time.monotonic()
        for _ in range(400):
            phone.sendto(b"x" * 1000, (FAR4, 7000))
        most = _most(began)
        assert 100 <= _heard(far) <= most
        other.sendto(b"x", (FAR4, 7000))
        assert _heard(far) == 1


def test_downloads_keep_to_the_rate(slow_plaza: Topology, gate: SocketGateClient, far: socket.socket) -> None:
    slow_plaza.login(gate, "neighbour")
    with slow_plaza.phones["neighbour"].socket() as phone:
        phone.sendto(b"x", (FAR4, 7000))
        phone.setsockopt(socket.SOL_SOCKET, LARGE_EAR, 1 << 22)
        _, back = far.recvfrom(10)
        began = time.monotonic()
        for _ in range(400):
            far.sendto(b"x" * 1000, back)
        most = _most(began)
        phone.settimeout(0.3)
        assert 100 <= _heard(phone) <= most


def test_the_walled_garden_is_open_until_the_kernel_has_forgotten_the_address(
    slow_plaza: Topology, gate: SocketGateClient, far: socket.socket
) -> None:
    assert gate.health().ready
    with slow_plaza.phones["attacker"].socket() as phone:
        phone.settimeout(0.3)
        slow_plaza.nft("add", "element", "inet", "hiroba", "garden4", "{", FAR4, "}")
        phone.sendto(b"hello", (FAR4, 7000))
        _, back = far.recvfrom(10)
        far.sendto(b"hello", back)
        assert phone.recv(10) == b"hello"
        for kind in ("garden4", "garden_used4"):
            slow_plaza.nft("delete", "element", "inet", "hiroba", kind, "{", FAR4, "}")
        with suppress(OSError):
            phone.sendto(b"hello", (FAR4, 7000))
        assert _heard(far) == 0
