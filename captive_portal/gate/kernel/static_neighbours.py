"""Static entries in the kernel's neighbour table: nothing that a phone says changes where their packets go.

They stay when the gate ends, and when the tables of nftables are flushed. Numbers: linux/neighbour.h, rtnetlink.h.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from captive_portal.gate.kernel import netlink

NEW, DELETE, GET = 28, 29, 30  # RTM_*NEIGH
REPLACE = 0x100  # NLM_F_REPLACE
NONE, PERMANENT, NOARP = 0x00, 0x80, 0x40  # NUD_*
_NDMSG = struct.Struct("=BBHiHBB")


class StaticNeighbours:
    """The entries on ``interfaces``, in the network namespace of this thread."""

    def __init__(self, interfaces: Iterable[str]) -> None:
        self._interfaces = sorted(set(interfaces))
        self._netlink = netlink.NetlinkSocket(netlink.NETLINK_ROUTE)

    def read(self) -> dict[str, str]:
        """Address -> MAC of the static entries. Raises OSError."""
        return {address: mac for address, mac, state, _ in self._entries() if state & PERMANENT and mac}

    def change(self, interface: str, add: Mapping[str, str], remove: Iterable[str]) -> None:
        """Add or replace these (address -> MAC), and remove others. Nothing without the interface."""
        try:
            index = socket.if_nametoindex(interface)
        except OSError:
            return
        for address in remove:
            with suppress(OSError):  # it is gone
                self._netlink.request(DELETE, _body(index, address, NONE))
        for address, mac in add.items():
            body = _body(index, address, PERMANENT) + netlink.attribute(2, bytes.fromhex(mac.replace(":", "")))
            self._netlink.request(NEW, body, netlink.ACK | netlink.CREATE | REPLACE)

    def forget_learned(self) -> None:
        """Remove what the kernel learned by itself; it asks again."""
        for address, _, state, index in list(self._entries()):
            if not state & (PERMANENT | NOARP):
                with suppress(OSError):  # it is gone
                    self._netlink.request(DELETE, _body(index, address, NONE))

    def close(self) -> None:
        """Close the socket; the entries stay."""
        self._netlink.close()

    def _entries(self) -> Iterator[tuple[str, str, int, int]]:
        """(address, MAC, state, interface index) of each entry on the interfaces."""
        ours = {number for number, name in socket.if_nameindex() if name in self._interfaces}
        for family in (socket.AF_INET, socket.AF_INET6):
            dump = self._netlink.request(GET, _NDMSG.pack(family, 0, 0, 0, 0, 0, 0), netlink.DUMP)
            for _, content in dump:
                _, _, _, index, state, _, _ = _NDMSG.unpack_from(content)
                facts = dict(netlink.attributes(content[_NDMSG.size :]))
                if index in ours and 1 in facts:  # NDA_DST
                    mac = facts.get(2, b"")  # NDA_LLADDR
                    yield socket.inet_ntop(family, facts[1]), mac.hex(":") if len(mac) == 6 else "", state, index


def _body(index: int, address: str, state: int) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return _NDMSG.pack(family, 0, 0, index, state, 0, 0) + netlink.attribute(1, socket.inet_pton(family, address))
