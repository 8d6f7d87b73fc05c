"""Sessions and counters live through what happens to a box; ended ones stop at once; the box's own ports are closed."""

from __future__ import annotations

import re
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from captive_portal.gate import protocol as p
from captive_portal.gate.client import SocketGateClient
from captive_portal.gate.kernel.ruleset import MAX_CONNECTIONS
from tests.net import frames
from tests.net.topology import FAR4, FAR6, GATEWAY_MAC, Topology, in_namespace, until

pytestmark = pytest.mark.needs("root", "nft", "ip")

SIZE, COUNT = 1000, 2000


@pytest.fixture(scope="module")
def gate(plaza: Topology) -> SocketGateClient:
    return plaza.start_gate()


@pytest.fixture(scope="module")
def echo(plaza: Topology) -> Iterator[dict[int, socket.socket]]:
    """A UDP socket on the far side for each family; the test itself answers with it."""
    made = {
        int(socket.AF_INET): in_namespace(plaza.internet, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
        int(socket.AF_INET6): in_namespace(plaza.internet, lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)),
    }
    for family, far in ((socket.AF_INET, FAR4), (socket.AF_INET6, FAR6)):
        made[family].bind((far, 7000))
        made[family].settimeout(1.0)
    yield made
    for each in made.values():
        each.close()


def _talks(plaza: Topology, echo: dict[int, socket.socket], name: str, far: str = FAR4) -> bool:
    """Does a datagram of this phone come through, and its answer back?"""
    family = socket.AF_INET6 if ":" in far else socket.AF_INET
    with plaza.phones[name].socket(family) as phone, suppress(OSError):
        phone.settimeout(0.3)
        phone.sendto(b"hello", (far, 7000))
        echo[family].settimeout(0.3)
        _, back = echo[family].recvfrom(100)
        echo[family].sendto(b"hello", back)
        return phone.recv(100) == b"hello"
    return False


def _session(gate: SocketGateClient, plaza: Topology, name: str) -> p.SessionDetails:
    return next(s for s in gate.sessions() if s.mac == plaza.phones[name].mac)


@pytest.mark.parametrize("far", [FAR4, FAR6])
def test_counted_bytes_are_those_that_passed(
    plaza: Topology, gate: SocketGateClient, echo: dict[int, socket.socket], far: str
) -> None:
    plaza.login(gate, "online")
    before = _session(gate, plaza, "online")
    family = socket.AF_INET6 if ":" in far else socket.AF_INET
    with plaza.phones["online"].socket(family) as phone:
        for _ in range(COUNT):
            phone.sendto(b"x" * SIZE, (far, 7000))
            data, back = echo[family].recvfrom(SIZE)
            echo[family].sendto(data, back)
            phone.recv(SIZE)
    sent = COUNT * (SIZE + (48 if family == socket.AF_INET6 else 28))
    until(lambda: _session(gate, plaza, "online").bytes_down - before.bytes_down >= sent)
    after = _session(gate, plaza, "online")
    assert abs(after.bytes_up - before.bytes_up - sent) <= sent * 0.01
    assert abs(after.bytes_down - before.bytes_down - sent) <= sent * 0.01


@pytest.mark.parametrize("happening", ["restart", "kill", "flush", "clock step", "elements deleted", "rule deleted"])
def test_sessions_and_counters_live_through(
    plaza: Topology, gate: SocketGateClient, echo: dict[int, socket.socket], happening: str
) -> None:
    plaza.login(gate, "online")
    until(lambda: _talks(plaza, echo, "online"))
    until(lambda: _session(gate, plaza, "online").bytes_up > 0)  # a flush takes only what was not sampled yet
    before = _session(gate, plaza, "online")
    _happen(plaza, happening)
    until(lambda: _talks(plaza, echo, "online") and _talks(plaza, echo, "online", FAR6))
    after = _session(plaza.wait_ready(), plaza, "online")
    assert (after.session, after.started_at) == (before.session, before.started_at)
    assert after.bytes_up >= before.bytes_up > 0
    assert not _talks(plaza, echo, "neighbour")


def _happen(plaza: Topology, happening: str) -> None:
    if happening in {"restart", "kill"}:
        plaza.stop_gate(signal.SIGTERM if happening == "restart" else signal.SIGKILL)
        plaza.start_gate()
    elif happening == "flush":
        plaza.nft("flush", "ruleset")
    elif happening == "clock step":
        plaza.signal_gate(signal.SIGUSR2)
    elif happening == "elements deleted":
        plaza.nft("flush", "set", "inet", "hiroba", "live")
    else:
        plaza.nft("flush", "chain", "inet", "hiroba", "up_0")


@pytest.mark.parametrize("far", [FAR4, FAR6])
def test_an_open_flow_stops_both_ways_at_the_end(
    plaza: Topology, gate: SocketGateClient, echo: dict[int, socket.socket], far: str
) -> None:
    plaza.login(gate, "attacker")
    family = socket.AF_INET6 if ":" in far else socket.AF_INET
    first, second = f"up {family}".encode(), f"up again {family}".encode()
    with plaza.phones["attacker"].socket(family) as phone:
        phone.sendto(first, (far, 7000))
        back = _sender_of(echo[family], first, 10.0)
        assert back
        echo[family].sendto(b"down", back)
        assert _sender_of(phone, b"down", 10.0)
        assert gate.end(ip=plaza.phones["attacker"].ip4) == 1
        echo[family].sendto(b"down again", back)
        assert not _sender_of(phone, b"down again", 0.3)
        with suppress(OSError):
            phone.sendto(second, (far, 7000))
        assert not _sender_of(echo[family], second, 0.3)


def _sender_of(heard: socket.socket, payload: bytes, seconds: float) -> tuple[str, int] | None:
    """Who sent this; None when it does not come within so many seconds. What else is heard came late from before."""
    heard.settimeout(seconds)
    with suppress(TimeoutError):
        while True:
            told, sender = heard.recvfrom(100)
            if told == payload:
                return (sender[0], sender[1])
    return None


def test_a_token_takes_the_session_to_a_new_mac(
    plaza: Topology, gate: SocketGateClient, echo: dict[int, socket.socket]
) -> None:
    opened = plaza.login(gate, "attacker")
    plaza.phones["neighbour"].say_hello()
    moved = gate.resume(plaza.phones["neighbour"].ip4, opened.token)
    assert isinstance(moved, p.Opened)
    until(lambda: _talks(plaza, echo, "neighbour"))
    until(lambda: _talks(plaza, echo, "neighbour", FAR6))
    assert not _talks(plaza, echo, "attacker")
    assert gate.resume(plaza.phones["attacker"].ip4, opened.token) == p.Refused(refused=p.RefusalReason.TOKEN)
    gate.end(session=moved.session)


def test_disaster_mode_opens_for_all_but_the_blocked_and_shuts_again(
    plaza: Topology, gate: SocketGateClient, echo: dict[int, socket.socket]
) -> None:
    assert gate.set_disaster(p.SetDisaster(on=True, reason="flood", by="staff", drill=True)).on
    until(lambda: _talks(plaza, echo, "attacker"))
    until(lambda: _talks(plaza, echo, "attacker", FAR6))
    gate.block(ip=plaza.phones["attacker"].ip4)
    assert not _talks(plaza, echo, "attacker")
    gate.unblock()
    gate.set_disaster(p.SetDisaster(on=False))
    assert not _talks(plaza, echo, "attacker")
    told = [event for event in gate.drain_usage(limit=5000) if event.kind == "disaster"]
    assert (sum(e.phones for e in told), {(e.spot, e.visitor, e.session) for e in told}) == (1, {("hall", "", "")})
    assert all(sum(way) > 60 for way in zip(*((e.bytes_up, e.bytes_down) for e in told), strict=True))


def _connects(plaza: Topology, name: str, to: str, port: int) -> str:
    """What a TCP connection of this phone meets: "open", "refused" or "silence"."""
    with plaza.phones[name].socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_STREAM) as phone:
        phone.settimeout(0.5)
        try:
            phone.connect((to, port))
        except ConnectionRefusedError:
            return "refused"
        except OSError:
            return "silence"
        return "open"


@pytest.fixture(scope="module")
def listeners(plaza: Topology) -> Iterator[None]:
    """Listening ports of the box (portal, staff's, the kiosk) and of a neighbour phone."""
    made = []
    for space, ports in (
        (plaza.gateway, (22, 53, 631, 5432, 8100, 8180, 8181)),
        (plaza.phones["neighbour"].space, (80,)),
    ):
        for port in ports:
            listener = in_namespace(space, lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
            listener.bind(("::", port))
            listener.listen(4096)
            made.append(listener)
    yield
    for listener in made:
        listener.close()


@pytest.mark.parametrize("name", ["attacker", "online"])
@pytest.mark.parametrize("to", ["10.90.0.1", "fd00:90::1", "198.18.0.2", "2001:db8:f::2"])
def test_the_box_itself_is_shut(plaza: Topology, gate: SocketGateClient, listeners: None, to: str, name: str) -> None:
    plaza.login(gate, "online")
    assert [_connects(plaza, name, to, port) for port in (22, 631, 5432, 8100)] == ["refused"] * 4


@pytest.mark.parametrize("name", ["attacker", "online"])
def test_a_neighbour_phone_is_out_of_reach(plaza: Topology, gate: SocketGateClient, listeners: None, name: str) -> None:
    plaza.login(gate, "online")
    neighbour = plaza.phones["neighbour"]
    assert _connects(plaza, name, neighbour.ip4, 80) != "open"
    assert _connects(plaza, name, neighbour.ip6, 80) != "open"
    packet = frames.ipv4(plaza.phones[name].ip4, neighbour.ip4, 17, frames.udp("10.90.0.9", neighbour.ip4, 9, b"x"))
    with neighbour.socket() as heard:
        heard.bind(("", 9))
        heard.settimeout(0.2)
        plaza.phones[name].put_on_wire([frames.ethernet(GATEWAY_MAC, plaza.phones[name].mac, packet)])
        with pytest.raises(TimeoutError):
            heard.recv(10)


@pytest.mark.parametrize("name", ["attacker", "online"])
@pytest.mark.parametrize("protocol", [2, 4, 33, 41, 47, 50, 51, 89, 103, 112, 115, 132, 136, 253])
def test_the_box_answers_no_other_protocol(plaza: Topology, gate: SocketGateClient, protocol: int, name: str) -> None:
    plaza.login(gate, "online")
    phone = plaza.phones[name]
    with in_namespace(
        phone.space, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    ) as ear:
        ear.bind(("eth0", 0x0800))
        for to in ("10.90.0.1", "198.18.0.2"):
            packet = frames.ipv4(phone.ip4, to, protocol, bytes([0, 1]) * 20)
            phone.put_on_wire([frames.ethernet(GATEWAY_MAC, phone.mac, packet)])
        ping = frames.ethernet(GATEWAY_MAC, phone.mac, frames.ipv4(phone.ip4, "10.90.0.1", 1, frames.ping4()))
        heard: set[bytes] = set()
        until(lambda: _heard_to_the_echo(phone.put_on_wire, ping, ear, heard))
    about = [
        packet for packet in heard if protocol in (packet[9], packet[37])
    ]  # of it, or an ICMP error that quotes it
    assert {packet[20:22] for packet in about if packet[9] == 1} <= {b"\x03\x0d"}  # prohibited
    assert [packet for packet in about if packet[9] != 1] == []


def _heard_to_the_echo(send: Callable[[list[bytes]], None], ping: bytes, ear: socket.socket, heard: set[bytes]) -> bool:
    """Put into ``heard`` the packets to this phone until a ping is answered (pings are rationed): did that come?"""
    send([ping])
    ear.settimeout(0.3)
    with suppress(TimeoutError):
        while True:
            packet = ear.recv(2000)[14:].ljust(40, b"\0")
            if packet[9] == 1 and packet[20:22] == b"\0\0":
                return True
            if packet[16:20] == ping[26:30]:
                heard.add(packet)
    return False


def test_ports_of_the_bridge_are_isolated_by_the_gate_those_that_join_later_too(
    plaza: Topology, gate: SocketGateClient
) -> None:
    def ip(words: str) -> str:
        command = ["ip", "-n", plaza.gateway, "-d", *words.split()]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def flags() -> list[str]:
        return re.findall(r" isolated (on|off) ", ip("link show master br-lan"))

    until(lambda: flags() == ["on"] * 4)
    ip("link add late0 type veth peer name late1")
    ip("link set late0 master br-lan")
    until(lambda: flags() == ["on"] * 5)
    ip("link del late0")


@pytest.mark.parametrize(
    ("to", "port"), [("198.19.9.9", 80), ("2001:db8:f:1::9", 80), ("10.90.0.1", 80), ("10.90.0.1", 443)]
)
def test_the_web_of_a_waiting_phone_is_the_portal(
    plaza: Topology, gate: SocketGateClient, listeners: None, to: str, port: int
) -> None:
    assert gate.health().ready
    assert _connects(plaza, "attacker", to, port) == "open"


def test_a_phone_has_64_connections_to_the_portal_however_many_addresses_it_makes_itself(
    plaza: Topology, gate: SocketGateClient, listeners: None
) -> None:
    assert gate.health().ready
    phone = plaza.phones["ended"]
    held: list[socket.socket] = []
    own = [phone.ip4, *(f"fd00:90::aaaa:{number:x}" for number in range(1, 100))]
    batch = "".join(f"addr add {address}/64 dev eth0 nodad\n" for address in own[1:])
    subprocess.run(["ip", "-n", phone.space, "-batch", "-"], input=batch, text=True, check=True)
    for address in own:
        six = ":" in address
        made = phone.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM)
        made.bind((address, 0))
        with suppress(ConnectionRefusedError):
            made.connect(("fd00:90::1" if six else "10.90.0.1", 8181 if len(held) % 2 else 8180))
            held.append(made)
    assert len(held) == MAX_CONNECTIONS
    assert _connects(plaza, "ended", "10.90.0.1", 8180) == "refused"
    assert [_connects(plaza, "neighbour", to, 8180) for to in ("10.90.0.1", "fd00:90::1")] == ["open"] * 2
    for made in held:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made.close()
    until(lambda: _connects(plaza, "ended", "10.90.0.1", 8180) == "open")


def test_tls_to_anywhere_is_refused_at_once_not_intercepted(
    plaza: Topology, gate: SocketGateClient, listeners: None
) -> None:
    assert gate.health().ready
    assert [_connects(plaza, "attacker", to, 443) for to in ("198.19.9.9", "2001:db8:f:1::9")] == ["refused", "refused"]


def test_dns_through_the_box_is_rationed_per_phone(plaza: Topology, gate: SocketGateClient) -> None:
    resolver = in_namespace(plaza.gateway, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    with resolver, plaza.phones["attacker"].socket() as phone, plaza.phones["online"].socket() as other:
        resolver.bind(("10.90.0.1", 53))
        resolver.settimeout(0.2)
        for _ in range(400):
            phone.sendto(b"tunnel", ("10.90.0.1", 53))
        assert 50 <= _received(resolver) <= 250  # of 400: 90 at once, then 15 a second
        other.sendto(b"question", ("10.90.0.1", 53))
        assert _received(resolver) == 1


def _received(heard: socket.socket) -> int:
    count = 0
    with suppress(TimeoutError):
        while heard.recv(100):
            count += 1
    return count


def test_250_phones_log_in_sixteen_at_a_time_and_all_pass(plaza: Topology, gate: SocketGateClient) -> None:
    phones = [(f"10.90.2.{n}", f"02:00:00:01:00:{n:02x}") for n in range(1, 251)]
    plaza.take_addresses(phones)

    def login(ip: str) -> p.Answer:
        return gate.open(p.Open(ip=ip, method="one_tap"))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(login, [ip for ip, _ in phones]))
    assert all(isinstance(answer, p.Opened) for answer in answers)
    seen = plaza.drain_far()
    for n, (ip, mac) in enumerate(phones):
        to = f"198.19.99.{n}"
        packet = frames.ipv4(ip, to, 17, frames.udp(ip, to, 9, b"x"))
        plaza.phones["online"].put_on_wire([frames.ethernet(GATEWAY_MAC, mac, packet)])
        if n % 25 == 0:
            time.sleep(0.01)  # the far side's ear holds some hundred frames
            seen |= plaza.drain_far()
    plaza.let_all_arrive()
    assert {f"198.19.99.{n}" for n in range(250)} <= seen | plaza.drain_far()
    for ip, _ in phones:
        gate.end(ip=ip)


def test_a_thousand_half_open_clients_do_not_stop_a_login(plaza: Topology, gate: SocketGateClient) -> None:
    held = []
    for _ in range(1000):
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(plaza.folder / "gate.sock"))
        client.send(b"\0\0")
        held.append(client)
    fresh = SocketGateClient(plaza.folder / "gate.sock")
    assert isinstance(plaza.login(fresh, "attacker"), p.Opened)
    gate.end(ip=plaza.phones["attacker"].ip4)
    for client in held:
        client.close()


def test_other_tables_are_left_alone(plaza: Topology, gate: SocketGateClient) -> None:
    plaza.nft("add table inet another; add chain inet another mine; add rule inet another mine counter")
    before = plaza.nft("list", "table", "inet", "another")
    plaza.nft("delete", "table", "inet", "hiroba")
    until(lambda: "table inet hiroba" in plaza.nft("list", "tables"))
    assert plaza.nft("list", "table", "inet", "another") == before


def test_neither_log_nor_database_keeps_a_mac(plaza: Topology, gate: SocketGateClient) -> None:
    opened = plaza.login(gate, "attacker")
    mac = plaza.phones["attacker"].mac
    files: Callable[[], list[str]] = lambda: [  # noqa: E731 - read anew each time
        path.name for path in plaza.folder.rglob("*") if path.is_file() and mac.encode() in path.read_bytes()
    ]
    assert files() != []
    gate.end(session=opened.session)
    until(lambda: files() == [])
    assert mac not in plaza.log()
