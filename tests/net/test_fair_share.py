"""With real packets, in both families: a used-up quota slows a phone down, a disaster's phones share the line, and a
school's names come from its resolver alone.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from captive_portal.gate import protocol as p
from captive_portal.gate.client import SocketGateClient
from device.clock import JST
from tests.net.topology import FAR4, FAR6, Topology, in_namespace, topology, until

pytestmark = pytest.mark.needs("root", "nft", "ip")
LIMITS = "minutes_per_visit = 30, quota_mib = 1, throttle_kbit = 64, disaster_kbit = 64"
"""8 kB a second, and 15 kB at once: of a burst of 500 kB hardly anything comes through."""
SIZE, BURST = 1000, 500
SO_RCVBUFFORCE = 33  # socket(7): a buffer beyond the system's limit, for root


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with topology(tmp_path_factory.mktemp("school"), limits=LIMITS, more="dns_only = true") as made:
        yield made


@pytest.fixture(scope="module")
def gate(school: Topology) -> Iterator[SocketGateClient]:
    client = school.start_gate()
    yield client
    client.close()


def wide(school: Topology, space: str, far: str) -> socket.socket:
    """A UDP socket that holds a whole burst."""
    family = socket.AF_INET6 if ":" in far else socket.AF_INET
    made = in_namespace(space, lambda: socket.socket(family, socket.SOCK_DGRAM))
    made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
    made.settimeout(10.0)
    return made


def arrived(ear: socket.socket) -> int:
    """How many datagrams have come, once no more do for a second."""
    ear.settimeout(1.0)
    count = 0
    with suppress(TimeoutError):
        while True:
            ear.recv(SIZE)
            count += 1
    return count


def bursts(school: Topology, name: str, far: str) -> tuple[int, int]:
    """Of a burst of a phone to the far side, and of one back: how many datagrams arrive."""
    with wide(school, school.phones[name].space, far) as phone, wide(school, school.internet, far) as server:
        server.bind((far, 7001))
        phone.sendto(b"hello", (far, 7001))
        _, back = server.recvfrom(SIZE)
        for _ in range(BURST):
            phone.sendto(b"x" * SIZE, (far, 7001))
        up = arrived(server)
        for _ in range(BURST):
            server.sendto(b"x" * SIZE, back)
        return up, arrived(phone)


def test_a_phone_that_used_its_quota_goes_on_slowly_in_both_families(school: Topology, gate: SocketGateClient) -> None:
    school.login(gate, "online")
    assert min(bursts(school, "online", FAR4)) > BURST / 2

    def slowed() -> bool:
        bursts(school, "online", FAR4)
        return [s.throttled for s in gate.sessions()] == [True]

    until(slowed, 60)
    for far in (FAR4, FAR6):
        up, down = bursts(school, "online", far)
        assert 0 < up < BURST / 2
        assert 0 < down < BURST / 2


def test_in_a_disaster_each_phone_has_its_own_share(school: Topology, gate: SocketGateClient) -> None:
    until_ = datetime.now(JST) + timedelta(minutes=10)
    gate.set_disaster(p.SetDisaster(on=True, reason="TEST", until=until_, by="test"))
    for far in (FAR4, FAR6):
        for name in ("attacker", "neighbour"):  # what the first takes is not taken from the second
            up, down = bursts(school, name, far)
            assert 0 < up < BURST / 2
            assert 0 < down < BURST / 2
    gate.set_disaster(p.SetDisaster(on=False, by="test"))


@pytest.mark.parametrize("far", [FAR4, FAR6])
@pytest.mark.parametrize("port", [53, 853])
def test_where_one_resolver_is_set_no_other_is_reached(
    school: Topology, gate: SocketGateClient, far: str, port: int
) -> None:
    phone = school.login(gate, "ended")
    space = school.phones["ended"].space
    with (
        wide(school, space, far) as asking,
        wide(school, school.internet, far) as names,
        wide(school, school.internet, far) as other,
    ):
        names.bind((far, port))
        other.bind((far, 7001))
        asking.sendto(b"a question", (far, port))
        asking.sendto(b"anything else", (far, 7001))
        assert other.recv(100) == b"anything else"  # sent after the question, over the same wires
        names.setblocking(False)
        with pytest.raises(BlockingIOError):
            names.recv(100)
    gate.end(session=phone.session)
