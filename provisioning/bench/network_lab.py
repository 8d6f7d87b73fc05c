"""Phones, a gateway and an Internet in network namespaces of its own; no other network is touched.

    phone n --- veth --- br-lan [gateway] up0 --- veth --- far0 [internet]

IPv4 alone, since the peer knows nothing else. Needs root and iproute2.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from provisioning.errors import ProgramMissing, RootNeeded

T = TypeVar("T")
GATEWAY = "10.90.0.1"
PREFIX = 18
INTERNET_HOST = "198.19.7.7"
"""A server on the Internet side, port 443."""
LEASE_ENDS = 4_102_444_800  # the year 2100


@dataclass(frozen=True)
class Phone:
    """A phone's namespace and its addresses."""

    space: str
    number: int

    @property
    def ip(self) -> str:
        """Its leased address."""
        return address_of(self.number)

    @property
    def mac(self) -> str:
        """Its locally administered MAC."""
        return mac_of(self.number)


def address_of(number: int) -> str:
    """10.90.0.10 and on: number 0 to about 16,000."""
    high, low = divmod(number + 10, 250)
    return f"10.90.{high}.{low + 2}"


def mac_of(number: int) -> str:
    """A locally administered MAC."""
    return f"02:00:00:00:{number >> 8:02x}:{number & 0xFF:02x}"


def leases(numbers: Sequence[int]) -> str:
    """Lines of dnsmasq's lease file for these phones."""
    return "".join(f"{LEASE_ENDS} {mac_of(n)} {address_of(n)} phone{n} *\n" for n in numbers)


class NetworkLab:
    """The namespaces. Use it as a context manager: leaving it deletes every namespace it made."""

    def __init__(self, phones: int) -> None:
        if os.geteuid() != 0:
            raise RootNeeded(command="hiroba bench wifi", reason="network namespaces")
        if not shutil.which("ip"):
            raise ProgramMissing(program="ip", package="iproute2")
        stem = f"hb{os.getpid():x}{os.urandom(2).hex()}"
        self.gateway, self.internet = f"{stem}g", f"{stem}i"
        self.phones = [Phone(f"{stem}p{n}", n) for n in range(phones)]
        self._far: socket.socket | None = None

    def __enter__(self) -> NetworkLab:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._far is not None:
            self._far.close()
        for space in self._spaces():
            subprocess.run(["ip", "netns", "del", space], check=False, stderr=subprocess.DEVNULL)

    def _spaces(self) -> list[str]:
        return [self.gateway, self.internet, *(phone.space for phone in self.phones)]

    def _build(self) -> None:
        names = "".join(f"netns add {space}\n" for space in self._spaces())
        subprocess.run(["ip", "-batch", "-"], input=names, text=True, check=True)
        batch(
            self.gateway,
            [
                "link set lo up",
                "link add br-lan address 02:00:00:aa:00:01 type bridge",
                "link set br-lan up",
                f"addr add {GATEWAY}/{PREFIX} dev br-lan",
                f"link add up0 type veth peer name far0 netns {self.internet}",
                "addr add 198.18.0.2/24 dev up0",
                "link set up0 up",
                "route add default via 198.18.0.1",
            ],
        )
        batch(
            self.internet,
            [
                "link set lo up",
                "link set far0 up",
                "addr add 198.18.0.1/24 dev far0",
                f"addr add {INTERNET_HOST}/32 dev lo",
            ],
        )
        for phone in self.phones:
            self._build_phone(phone)
        self._far = in_namespace(self.internet, _listen)
        threading.Thread(target=_accept, args=(self._far,), daemon=True).start()

    def _build_phone(self, phone: Phone) -> None:
        port = f"p{phone.number}"
        batch(
            self.gateway,
            [
                f"link add {port} type veth peer name eth0 netns {phone.space} address {phone.mac}",
                f"link set {port} master br-lan up",
                f"link set {port} type bridge_slave isolated on",
            ],
        )
        batch(
            phone.space,
            [
                "link set lo up",
                "link set eth0 up",
                f"addr add {phone.ip}/{PREFIX} dev eth0",
                f"route add default via {GATEWAY}",
            ],
        )


def batch(space: str, commands: Sequence[str]) -> None:
    """Many ``ip`` commands in one process."""
    subprocess.run(["ip", "-n", space, "-batch", "-"], input="\n".join(commands) + "\n", text=True, check=True)


def enter(space: str) -> None:
    """Move this thread into a namespace; sockets it makes from now on belong there. Raises OSError."""
    with Path(f"/run/netns/{space}").open() as handle:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(handle.fileno(), 0x40000000):  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), "setns")


def in_namespace(space: str, work: Callable[[], T]) -> T:
    """Run ``work`` on a thread of its own that has entered the namespace."""
    result: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            enter(space)
            result.append(work())
        except BaseException as error:  # handed to the caller below
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


def _listen() -> socket.socket:
    made = socket.create_server((INTERNET_HOST, 443), backlog=1024)
    made.settimeout(None)
    return made


def _accept(listener: socket.socket) -> None:
    """Answer every connection by closing it, until the listener is closed."""
    while True:
        try:
            listener.accept()[0].close()
        except OSError:
            return
