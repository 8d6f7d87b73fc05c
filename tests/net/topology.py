"""A gateway, an Internet and a few phones, each in a network namespace of its own; nothing else is touched.

    phone n --- veth --- br-lan (a plain bridge) [gateway] up0 --- veth --- far0 [internet]

Sockets are made inside a namespace and used from anywhere: a socket stays where it was born.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from captive_portal.gate import protocol as p
from captive_portal.gate.client import SocketGateClient
from captive_portal.gate.errors import GateUnreachable
from tests.net import frames
from tests.net.attempts import ATTEMPTS, KnownAddresses, target

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
FAR4, FAR6 = "198.19.7.7", "2001:db8:f:1::77"
"""A server on the far side."""
LAST = re.compile(r"198\.19\.2\d\d\.")
"""Where the gateway's own last datagrams go."""
GATEWAY_MAC = "02:00:00:aa:00:01"

SITE = """
[wifi.gate]
socket = "gate.sock"
sample_seconds = 0.3
keep_seconds = 0.5
clients = []
[[wifi.spots]]
name = "hall"
interface = "br-lan"
uplink = "up0"
ipv4 = {{ gateway = "10.90.0.1", prefix = 22 }}
ipv6 = {{ mode = "{ipv6}", network = "fd00:90::/64", gateway = "fd00:90::1", uplink_network = "2001:db8:90::/64" }}
limits = {{ {limits} }}
{more}
"""


def in_namespace(name: str, work: Callable[[], T]) -> T:
    """Run ``work`` on a thread that has entered the namespace."""
    result: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            with Path(f"/run/netns/{name}").open() as handle:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(handle.fileno(), 0x40000000):  # CLONE_NEWNET
                    raise OSError(ctypes.get_errno(), "setns")
            result.append(work())
        except BaseException as error:  # handed to the caller below
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


class Phone:
    """A phone's namespace with its addresses."""

    def __init__(self, space: str, number: int) -> None:
        self.space = space
        self.mac = f"02:00:00:00:00:{number:02x}"
        self.ip4 = f"10.90.0.{number + 10}"
        self.ip6 = f"fd00:90::{number + 16:x}"
        self._wire: socket.socket | None = None

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_DGRAM) -> socket.socket:
        """A socket of this phone, with a time-out of a second."""
        made = in_namespace(self.space, lambda: socket.socket(family, kind))
        made.settimeout(1.0)
        return made

    def say_hello(self) -> bool:
        """Let the gateway learn this phone's addresses, as the visit to the portal would. Whether it answered both."""
        answered = []
        for family, own, gateway in (
            (socket.AF_INET, self.ip4, "10.90.0.1"),
            (socket.AF_INET6, self.ip6, "fd00:90::1"),
        ):
            with self.socket(family, socket.SOCK_STREAM) as hello:
                hello.bind((own, 0))
                answered.append(hello.connect_ex((gateway, 8180)) in {0, errno.ECONNREFUSED})
        return all(answered)

    def put_on_wire(self, frames: list[bytes]) -> None:
        """Send raw Ethernet frames."""
        if self._wire is None:
            self._wire = in_namespace(self.space, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
            self._wire.bind(("eth0", 0))
        for frame in frames:
            self._wire.send(frame)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()


class Topology:
    """The namespaces, and the gate process in the gateway's."""

    PHONES = ("attacker", "online", "ended", "neighbour")

    def __init__(
        self, folder: Path, ipv6: str = "routed", limits: str = "minutes_per_visit = 30", more: str = ""
    ) -> None:
        self.folder = folder
        self._stem = f"hg{os.getpid():x}{os.urandom(2).hex()}"
        self.gateway, self.internet = f"{self._stem}g", f"{self._stem}i"
        self.phones = {name: Phone(f"{self._stem}{n}", n) for n, name in enumerate(self.PHONES, 1)}
        self.far: socket.socket | None = None
        self._seen: set[tuple[str, str]] = set()
        self._last = 0
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "site.toml").write_text(SITE.format(ipv6=ipv6, limits=limits, more=more))

    # -- namespaces --

    def build(self) -> None:
        for space in (self.gateway, self.internet, *(phone.space for phone in self.phones.values())):
            _ip(f"netns add {space}")
            in_namespace(space, _no_address_detection)
        self._build_middle()
        for number, phone in enumerate(self.phones.values(), 1):
            self._build_phone(number, phone)
        every = socket.htons(3)
        self.far = in_namespace(self.internet, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, every))
        self.far.bind(("far0", 3))
        self._own = in_namespace(self.gateway, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.far.setblocking(False)
        until(lambda: in_namespace(self.gateway, lambda: _reaches("2001:db8:f::1") and _reaches("198.18.0.1")))

    def _build_middle(self) -> None:
        _batch(
            self.gateway,
            "link set lo up",
            f"link add br-lan address {GATEWAY_MAC} type bridge",
            "link set br-lan up",
            "addr add 10.90.0.1/22 dev br-lan",
            "addr add fd00:90::1/64 dev br-lan nodad",
            f"link add up0 type veth peer name far0 netns {self.internet}",
            "addr add 198.18.0.2/24 dev up0",
            "addr add 2001:db8:f::2/64 dev up0 nodad",
            "link set up0 up",
            "route add default via 198.18.0.1",
            "route add ::/0 via 2001:db8:f::1",
        )
        _batch(
            self.internet,
            "link set lo up",
            "link set far0 up",
            "addr add 198.18.0.1/24 dev far0",
            "addr add 2001:db8:f::1/64 dev far0 nodad",
            "route add local 198.19.0.0/16 dev lo",
            f"addr add {FAR4}/32 dev lo",
            f"addr add {FAR6}/128 dev lo nodad",
            "route add local 2001:db8:f:1::/64 dev lo",
            "route add 10.90.0.0/22 via 198.18.0.2",
            "route add fd00:90::/64 via 2001:db8:f::2",
            "route add 2001:db8:90::/64 via 2001:db8:f::2",
        )

    def _build_phone(self, number: int, phone: Phone) -> None:
        _batch(
            self.gateway,
            f"link add p{number} type veth peer name eth0 netns {phone.space} address {phone.mac}",
            f"link set p{number} master br-lan up",
        )
        _batch(
            phone.space,
            "link set lo up",
            "link set eth0 up",
            f"addr add {phone.ip4}/22 dev eth0",
            f"addr add {phone.ip6}/64 dev eth0 nodad",
            "route add default via 10.90.0.1",
            "route add ::/0 via fd00:90::1",
        )

    def destroy(self) -> None:
        self.stop_gate(signal.SIGKILL)
        for phone in self.phones.values():
            phone.close()
        if self.far is not None:
            self.far.close()
            self._own.close()
        for space in (self.gateway, self.internet, *(phone.space for phone in self.phones.values())):
            subprocess.run(["ip", "netns", "del", space], check=False, stderr=subprocess.DEVNULL)

    # -- the gate --

    def start_gate(self) -> SocketGateClient:
        """Start the gate process and wait until it answers."""
        entry = [
            sys.executable,
            str(ROOT / "tests/net/gate_process.py"),
            str(self.folder / "site.toml"),
            str(self.folder),
        ]
        with (self.folder / "gate.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", self.gateway, *entry], stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )
        client = self.wait_ready()
        for phone in self.phones.values():
            phone.say_hello()  # an address is its first user's
        return client

    def wait_ready(self) -> SocketGateClient:
        """A client of the running gate."""
        client = SocketGateClient(self.folder / "gate.sock")
        until(lambda: _answers(client))
        return client

    def stop_gate(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def signal_gate(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def nft(self, *words: str) -> str:
        """The nft program, in the gateway."""
        command = ["ip", "netns", "exec", self.gateway, "nft", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def take_addresses(self, phones: list[tuple[str, str]]) -> None:
        """Let these (address, MAC) pairs each send a frame to the gateway, from the place of one phone."""
        place = self.phones["online"]
        for ip, mac in phones:
            packet = frames.ipv4(ip, "10.90.0.1", 17, frames.udp(ip, "10.90.0.1", 9, b"here I am"))
            place.put_on_wire([frames.ethernet(GATEWAY_MAC, mac, packet)])

    def log(self) -> str:
        """What the gate has said so far."""
        return (self.folder / "gate.log").read_text()

    # -- packets --

    def known(self, name: str) -> KnownAddresses:
        """What the phone ``name`` knows."""
        own, online, ended = self.phones[name], self.phones["online"], self.phones["ended"]
        return KnownAddresses(
            own.mac, own.ip4, own.ip6, GATEWAY_MAC, online.mac, online.ip4, online.ip6, ended.mac, ended.ip4, ended.ip6
        )

    def leaks(self, name: str) -> set[str]:
        """Try every attempt from phone ``name``; the names of those of which a frame came through."""
        seen = {to for _, to in self.tries(name)}
        return {attempt.name for number, attempt in enumerate(ATTEMPTS) if target(number) in seen}

    def tries(self, name: str) -> set[tuple[str, str]]:
        """Try every attempt from phone ``name``; (source, destination) of the frames that came through."""
        self.heard_far()
        phone, known = self.phones[name], self.known(name)
        for number, attempt in enumerate(ATTEMPTS):
            phone.put_on_wire(attempt.send(known, target(number)))
        self.let_all_arrive()
        return self.heard_far()

    def let_all_arrive(self) -> None:
        """Wait until what was sent before has gone its way: a busy machine moves packets when it finds the time. A last
        datagram of the gateway's own from each processor comes after them.
        """
        assert self.far is not None
        mine = os.sched_getaffinity(0)
        try:
            for number in mine:
                os.sched_setaffinity(0, {number})
                self._last += 1
                last = f"198.19.{200 + self._last // 250 % 50}.{self._last % 250}"
                self._own.sendto(b"last", (last, 9))
                until(partial(self._has_come, last))
        finally:
            os.sched_setaffinity(0, mine)
        time.sleep(0.05)

    def _has_come(self, to: str) -> bool:
        return to in self._hear()

    def drain_far(self) -> set[str]:
        """Destination addresses of all frames that reached the far side since last asked."""
        return {to for _, to in self.heard_far()}

    def heard_far(self) -> set[tuple[str, str]]:
        """(source, destination) of them."""
        self._hear()
        seen, self._seen = self._seen, set()
        return {(source, to) for source, to in seen if not LAST.match(to)}

    def _hear(self) -> set[str]:
        """Read what has come; all destinations since ``heard_far``."""
        assert self.far is not None
        with suppress(BlockingIOError):
            while True:
                packet, origin = self.far.recvfrom(65535)
                if origin[2] != socket.PACKET_OUTGOING:
                    self._seen.add(_addresses(packet[14:]))
        return {to for _, to in self._seen}

    def login(self, client: SocketGateClient, name: str, minutes: int = 0) -> p.Opened:
        """Let a phone log in by one tap, for the spot's half an hour or for so many minutes."""
        phone = self.phones[name]
        phone.say_hello()
        opened = client.open(p.Open(ip=phone.ip4, method="one_tap", minutes=minutes))
        assert isinstance(opened, p.Opened), opened
        return opened


@contextmanager
def topology(folder: Path, **settings: str) -> Iterator[Topology]:
    """A topology for the time of the block."""
    made = Topology(folder, **settings)
    try:
        made.build()
        yield made
    finally:
        made.destroy()


def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until ``holds``; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def _no_address_detection() -> None:
    """IPv6 addresses of this namespace are usable at once."""
    Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0")
    Path("/proc/sys/net/ipv6/conf/all/accept_dad").write_text("0")


def _reaches(address: str) -> bool:
    """Does the other end answer (with a refusal) within a tenth of a second?"""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.settimeout(0.1)
        try:
            probe.connect((address, 9))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return True


def _answers(client: SocketGateClient) -> bool:
    try:
        return client.health().ready
    except GateUnreachable:
        return False


def _addresses(packet: bytes) -> tuple[str, str]:
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        return socket.inet_ntop(socket.AF_INET, packet[12:16]), socket.inet_ntop(socket.AF_INET, packet[16:20])
    if version == 6:
        return socket.inet_ntop(socket.AF_INET6, packet[8:24]), socket.inet_ntop(socket.AF_INET6, packet[24:40])
    return "", ""


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


def _batch(space: str, *commands: str) -> None:
    text = "\n".join(commands) + "\n"
    subprocess.run(["ip", "-n", space, "-batch", "-"], input=text, text=True, check=True)
