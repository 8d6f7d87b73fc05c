"""The port to the packet filter, and its implementation on nftables (in memory: ``memory_packet_filter``).

The table as a whole is written and read by libnftables, its elements by netlink: without text or cache, and a dump is
read packet by packet, so that neither time nor memory of a log-in grows with the phones online.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel import counter_codec, element_codec, netlink
from captive_portal.gate.kernel.lease_limits import PORT_TABLE
from captive_portal.gate.kernel.nft import HANDLE, STATELESS, TERSE, Nft
from captive_portal.gate.kernel.reconcile import Element, ElementName, ElementReading, Plan, add_commands
from captive_portal.gate.kernel.ruleset import GUARD_TABLE, TABLE
from captive_portal.gate.kernel.source_rules import ARP_TABLE
from captive_portal.gate.policy.disaster_usage import OpenWifiReading

MAX_BATCH_BYTES = 16 * 1024 * 1024
"""Bytes of one transaction: 65,536 phones are about twelve million."""
DISASTER_SETS = ("disaster_phones", "disaster_up", "disaster_down")


class PacketFilter(Protocol):
    """What the enforcer may do to the packet filter. All raise KernelRefused."""

    def install(self, table: str, elements: Iterable[tuple[ElementName, Element]]) -> None:
        """Replace all tables, with these elements already in them, in one transaction."""
        ...

    def apply(self, todo: Plan) -> None:
        """Remove and add elements in one transaction."""
        ...

    def structure(self) -> str:
        """All tables as text without elements and counters, with rule handles; "" without the first one."""
        ...

    def readings(self, kind: str) -> Iterator[tuple[ElementName, ElementReading]]:
        """Every element of one set; the iterator may be abandoned. While the kernel resizes the set's hash table (many
        were just added) a few may be skipped.
        """
        ...

    def read_counter(self, name: ElementName) -> int | None:
        """The counter of one element of ``live``, ``up4`` or ``up6``; None without the element."""
        ...

    def read_disaster_usage(self) -> OpenWifiReading:
        """Phones and byte counters of the open Wi-Fi in disaster mode."""
        ...

    def read_dropped(self) -> Mapping[str, int]:
        """Packets counted by each named counter of the tables, by its name."""
        ...

    def delete_connections(self, mark: int) -> None:
        """Delete the tracked connections that carry ``mark``."""
        ...


class NftPacketFilter:
    """The kernel of the network namespace this thread is in."""

    def __init__(self) -> None:
        self._nft = Nft()
        self._netlink = netlink.NetlinkSocket(netlink.NETLINK_NETFILTER)
        self._dumps = netlink.NetlinkSocket(netlink.NETLINK_NETFILTER)
        self._netlink.set_send_buffer(MAX_BATCH_BYTES)

    def install(self, table: str, elements: Iterable[tuple[ElementName, Element]]) -> None:
        """See PacketFilter."""
        try:
            self._nft.run(table + add_commands(elements))
        finally:
            self._nft.renew()

    def apply(self, todo: Plan) -> None:
        """See PacketFilter."""
        steps = element_codec.changes(todo)
        if not steps:
            return
        try:
            self._netlink.transact(steps)
        except OSError as error:
            raise KernelRefused(what="elements", reason=error.errno) from error

    def structure(self) -> str:
        """See PacketFilter."""
        try:
            first = self._listing(f"inet {TABLE}")
            others = (f"inet {GUARD_TABLE}", f"bridge {PORT_TABLE}", f"arp {ARP_TABLE}")
            return first and first + "".join(self._listing(table) for table in others)
        finally:
            self._nft.renew()

    def _listing(self, table: str) -> str:
        try:
            return self._nft.run(f"list table {table}", TERSE | HANDLE | STATELESS)
        except KernelRefused:
            return ""

    def readings(self, kind: str) -> Iterator[tuple[ElementName, ElementReading]]:
        """See PacketFilter."""
        try:
            for body in self._dumps.dump(element_codec.GET, element_codec.get_all_body(kind)):
                yield from element_codec.readings(kind, body)
        except OSError as error:
            raise KernelRefused(what=kind, reason=error.errno) from error

    def read_counter(self, name: ElementName) -> int | None:
        """See PacketFilter."""
        try:
            answers = self._netlink.request(element_codec.GET, element_codec.get_one_body(name))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KernelRefused(what="element", reason=error.errno) from error
        return next((r.bytes for _, body in answers for _, r in element_codec.readings(name.set, body)), None)

    def read_disaster_usage(self) -> OpenWifiReading:
        """See PacketFilter."""
        phones, up, down = ({n.key: r.bytes for n, r in self.readings(kind)} for kind in DISASTER_SETS)
        pairs = {(interface.strip('"'), mac) for interface, _, mac in (key.partition(" . ") for key in phones)}
        return OpenWifiReading(pairs, *({key.strip('"'): count for key, count in way.items()} for way in (up, down)))

    def read_dropped(self) -> Mapping[str, int]:
        """See PacketFilter."""
        found: dict[str, int] = {}
        try:
            for family, table in ((element_codec.FAMILIES["inet"], TABLE), (counter_codec.BRIDGE, PORT_TABLE)):
                for body in self._dumps.dump(counter_codec.GET, counter_codec.get_all_body(family, table)):
                    name, packets = counter_codec.reading(body)
                    found[name] = found.get(name, 0) + packets
        except OSError as error:
            raise KernelRefused(what="counters", reason=error.errno) from error
        return found

    def delete_connections(self, mark: int) -> None:
        """See PacketFilter. linux/netfilter/nfnetlink_conntrack.h: CT_DELETE with CTA_MARK and CTA_MARK_MASK."""
        body = struct.pack(">BBH", 0, 0, 0)
        body += netlink.attribute(8, struct.pack(">I", mark)) + netlink.attribute(21, b"\xff" * 4)
        try:
            self._netlink.request(1 << 8 | 2, body)
        except FileNotFoundError:
            return
        except OSError as error:
            raise KernelRefused(what="conntrack", reason=error.errno) from error

    def close(self) -> None:
        """Close sockets and contexts; the rules stay in the kernel."""
        self._nft.close()
        self._netlink.close()
        self._dumps.close()
