"""Which phone is behind an address: the kernel's neighbour table, and dnsmasq's leases beside it."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import Protocol

from captive_portal.gate.kernel import netlink
from captive_portal.gate.policy.session import Sighting, spot_of
from captive_portal.settings import SpotSettings, WifiSettings

USABLE = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
"""linux/neighbour.h: reachable, stale, delay, probe, permanent."""
_NDMSG = struct.Struct("=BBHiHBB")


class Neighbours(Protocol):
    """Who is on the air."""

    def find(self, ip: str) -> Sighting | None:
        """The phone at ``ip``, or None when the address is none of ours or nobody is there."""
        ...


class Leases:
    """dnsmasq's lease file, read again only when it has changed. It is searched, not parsed: with thousands of phones
    it changes between any two log-ins.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] = (0, 0)
        self._text = b""

    def has(self, ip: str, mac: str) -> bool:
        """Was ``ip`` given to ``mac``? A missing file gave nothing."""
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
    """Does a line "expiry mac ip name client-id" of dnsmasq's lease file, in small letters, say so?"""
    wanted = f" {mac} {ip} ".encode()
    at = text.find(wanted)
    while at >= 0:
        if text[text.rfind(b"\n", 0, at) + 1 : at].isdigit():
            return True
        at = text.find(wanted, at + 1)
    return False


class KernelNeighbours:
    """The neighbour table of the network namespace this thread is in."""

    def __init__(self, settings: WifiSettings, state: Path) -> None:
        self._settings = settings
        self._netlink = netlink.Netlink(netlink.NETLINK_ROUTE)
        self._leases = {s.name: Leases(state / s.dhcp.leases) for s in settings.spots if s.dhcp}

    def find(self, ip: str) -> Sighting | None:
        """See Neighbours."""
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
        return Sighting(spot.name, mac, ip4, leased)

    def _mac(self, index: int, ip: str) -> str:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        body = _NDMSG.pack(family, 0, 0, index, 0, 0, 0) + netlink.attribute(1, socket.inet_pton(family, ip))
        for _, content in self._netlink.ask(30, body):  # RTM_GETNEIGH, NDA_DST
            return _address_of(content)[1]
        return ""

    def _ip4(self, index: int, mac: str, spot: SpotSettings) -> str:
        """The IPv4 address of a phone that came by IPv6; "" when it has none here."""
        dump = self._netlink.ask(30, _NDMSG.pack(socket.AF_INET, 0, 0, index, 0, 0, 0), netlink.DUMP)
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
