"""IPv6 by each mode of the site file: to a host beyond the box and back with a session, and not without one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import pytest

from captive_portal.gate.client import SocketGateClient
from tests.net.topology import FAR6, Topology, in_namespace, topology, until

pytestmark = pytest.mark.needs("root", "nft", "ip")
OUTSIDE = "2001:db8:90::"
"""The prefix that stands for the phones' own on the far side when it is translated."""


class Plaza(NamedTuple):
    """A running plaza of one mode, and the far side's ear."""

    mode: str
    net: Topology
    gate: SocketGateClient
    far: socket.socket


@pytest.fixture(scope="module", params=["routed", "npt", "masquerade"])
def plaza(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plaza]:
    with topology(tmp_path_factory.mktemp(request.param), ipv6=request.param) as net:
        far = in_namespace(net.internet, lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        with far:
            far.bind((FAR6, 7000))
            yield Plaza(request.param, net, net.start_gate(), far)


def _heard(far: socket.socket, seconds: float) -> str:
    """The source address of the next datagram; "" when none comes."""
    far.settimeout(seconds)
    with suppress(TimeoutError):
        return str(far.recvfrom(100)[1][0])
    return ""


def _answered(plaza: Plaza, name: str) -> str:
    """Send a datagram and answer it; the source address the far side saw, "" unless the answer came back."""
    with plaza.net.phones[name].socket(socket.AF_INET6) as phone, suppress(OSError):
        phone.bind((plaza.net.phones[name].ip6, 0))
        phone.sendto(b"hello", (FAR6, 7000))
        plaza.far.settimeout(2.0)
        _, back = plaza.far.recvfrom(100)
        plaza.far.sendto(b"answer", back)
        phone.settimeout(2.0)
        return str(back[0]) if phone.recv(100) == b"answer" else ""
    return ""


def _as_seen(plaza: Plaza, name: str) -> str:
    own = plaza.net.phones[name].ip6
    return {"routed": own, "npt": own.replace("fd00:90::", OUTSIDE), "masquerade": "2001:db8:f::2"}[plaza.mode]


def test_before_login_nothing_passes_by_ipv6(plaza: Plaza) -> None:
    assert {name for name in plaza.net.leaks("attacker") if name.startswith("v6")} == set()


@pytest.mark.parametrize("name", ["online", "neighbour"])
def test_with_a_session_a_host_beyond_the_box_answers(plaza: Plaza, name: str) -> None:
    plaza.net.login(plaza.gate, name)
    assert _answered(plaza, name) == _as_seen(plaza, name)


def test_what_is_translated_never_leaves_under_the_own_address_of_a_phone(plaza: Plaza) -> None:
    plaza.net.login(plaza.gate, "online")
    sources = {source for source, to in plaza.net.tries("online") if to.startswith(("198.19.", "2001:db8:f:1:"))}
    inside = {source for source in sources if source.startswith(("10.90.", "fd00:90:"))}
    assert inside <= ({plaza.net.phones["online"].ip6} if plaza.mode == "routed" else set())
    assert _as_seen(plaza, "online") in sources


def test_tcp_passes_too(plaza: Plaza) -> None:
    plaza.net.login(plaza.gate, "online")
    server = in_namespace(plaza.net.internet, lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
    with server, plaza.net.phones["online"].socket(socket.AF_INET6, socket.SOCK_STREAM) as phone:
        server.bind((FAR6, 0))
        server.listen(1)
        server.settimeout(5.0)
        phone.settimeout(5.0)
        phone.connect((FAR6, server.getsockname()[1]))
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"x" * 100_000)
            accepted.shutdown(socket.SHUT_WR)
            assert sum(len(part) for part in iter(lambda: phone.recv(65536), b"")) == 100_000


def test_bytes_by_ipv6_are_counted(plaza: Plaza) -> None:
    plaza.net.login(plaza.gate, "online")

    def counted() -> tuple[int, int]:
        (shown,) = [s for s in plaza.gate.sessions() if s.mac == plaza.net.phones["online"].mac]
        return shown.bytes_up, shown.bytes_down

    before = counted()
    assert _answered(plaza, "online")
    until(lambda: all(now > then for now, then in zip(counted(), before, strict=True)))


def test_a_stranger_outside_does_not_reach_a_phone_that_did_not_ask(plaza: Plaza) -> None:
    plaza.net.login(plaza.gate, "online")
    with plaza.net.phones["online"].socket(socket.AF_INET6) as phone:
        phone.bind((plaza.net.phones["online"].ip6, 7001))
        plaza.far.sendto(b"unasked", (_as_seen(plaza, "online"), 7001))
        phone.settimeout(0.5)
        with pytest.raises(TimeoutError):
            phone.recv(100)


def test_at_the_end_both_ways_stop(plaza: Plaza) -> None:
    plaza.net.login(plaza.gate, "ended")
    with plaza.net.phones["ended"].socket(socket.AF_INET6) as phone:
        phone.sendto(b"hello", (FAR6, 7000))
        plaza.far.settimeout(2.0)
        _, back = plaza.far.recvfrom(100)
        plaza.gate.end(ip=plaza.net.phones["ended"].ip4)
        plaza.far.sendto(b"late answer", back)
        phone.settimeout(0.5)
        with pytest.raises(TimeoutError):
            phone.recv(100)
        with suppress(OSError):
            phone.sendto(b"hello again", (FAR6, 7000))
        assert _heard(plaza.far, 0.5) == ""
