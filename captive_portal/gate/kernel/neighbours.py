"""Which phone is behind an address: the kernel's neighbour table, and dnsmasq's leases beside it."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import Protocol

from captive_portal.gate.kernel import netlink
from captive_portal.gate.policy.session import ObservedPhone, spot_of
from captive_portal.settings import SpotSettings, WifiSettings

USABLE = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
"""linux/neighbour.h: reachable, stale, delay, probe, permanent."""
_NDMSG = struct.Struct("=BBHiHBB")


class NeighbourTable(Protocol):
    """Finds the phone behind an address."""

    def find(self, ip: str) -> ObservedPhone | None:
        """The phone at ``ip``, or None when the address is of no spot or no phone has it."""
        ...


class LeaseFile:
    """dnsmasq's lease file, read again only when it has changed. It is searched and not parsed, because with thousands
    of phones it changes between any two log-ins.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] = (0, 0)
        self._text = b""

    def has(self, ip: str, mac: str) -> bool:
        """Whether ``ip`` is leased to ``mac``; False without a file."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self._text = self._path.read_bytes().lower()
                self._stamp = stamp
        except OSError:
            return False
        return leased(self._text, ip, mac)


def leased(text: bytes, ip: str, mac: str) -> bool:
    """Whether ``text``, dnsmasq's lease file in lower case, has a line "expiry mac ip name client-id" with these."""
    wanted = f" {mac} {ip} ".encode()
    at = text.find(wanted)
    while at >= 0:
        if text[text.rfind(b"\n", 0, at) + 1 : at].isdigit():
            return True
        at = text.find(wanted, at + 1)
    return False


class KernelNeighbourTable:
    """The neighbour table of the network namespace this thread is in."""

    def __init__(self, settings: WifiSettings, state: Path) -> None:
        self._settings = settings
        self._netlink = netlink.NetlinkSocket(netlink.NETLINK_ROUTE)
        self._leases = {s.name: LeaseFile(state / s.dhcp.leases) for s in settings.spots if s.dhcp}

    def find(self, ip: str) -> ObservedPhone | None:
        """See NeighbourTable."""
        spot = spot_of(self._settings, ip)
        if spot is None:
            return None
        try:
            index = socket.if_nametoindex(spot.interface)
            mac = self._mac(index, ip)
        except OSError:
            return None
        if not mac:
            return None
        ip4 = self._ip4(index, mac, spot) if ":" in ip else ip
        leased = spot.name not in self._leases or self._leases[spot.name].has(ip4, mac)
        return ObservedPhone(spot.name, mac, ip4, leased)

    def _mac(self, index: int, ip: str) -> str:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        body = _NDMSG.pack(family, 0, 0, index, 0, 0, 0) + netlink.attribute(1, socket.inet_pton(family, ip))
        for _, content in self._netlink.request(30, body):  # RTM_GETNEIGH, NDA_DST
            return _address_of(content)[1]
        return ""

    def _ip4(self, index: int, mac: str, spot: SpotSettings) -> str:
        """The IPv4 address of a phone that came by IPv6; "" when it has none here."""
        dump = self._netlink.request(30, _NDMSG.pack(socket.AF_INET, 0, 0, index, 0, 0, 0), netlink.DUMP)
        for _, content in dump:
            if _NDMSG.unpack_from(content)[3] != index:
                continue
            raw, found = _address_of(content)
            if found == mac and len(raw) == 4:
                ip4 = socket.inet_ntop(socket.AF_INET, raw)
                here = spot_of(self._settings, ip4)
                if here is not None and here.name == spot.name:
                    return ip4
        return ""


def _address_of(content: bytes) -> tuple[bytes, str]:
    """(IP address, MAC) of one neighbour message; MAC "" unless the entry is usable."""
    state = _NDMSG.unpack_from(content)[4]
    facts = dict(netlink.attributes(content[_NDMSG.size :]))
    mac = facts.get(2, b"") if state & USABLE else b""
    return facts.get(1, b""), mac.hex(":") if len(mac) == 6 else ""
