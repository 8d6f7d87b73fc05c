"""The port to the packet filter, and its real end. The one in memory is ``memory_kernel.MemoryKernel``.

The table as a whole is written and read by libnftables, elements by netlink: no text, no cache, and a dump is read
packet by packet, so that neither time nor memory of a log-in grows with the phones online.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Protocol

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel import element_codec as elements
from captive_portal.gate.kernel import netlink
from captive_portal.gate.kernel.nft import HANDLE, STATELESS, TERSE, Nft
from captive_portal.gate.kernel.reconcile import Element, Name, Plan, Reading, additions
from captive_portal.gate.kernel.ruleset import TABLE
from captive_portal.gate.policy.disaster_usage import Seen

LARGEST_BATCH = 16 * 1024 * 1024
"""Bytes of one transaction: 65,536 phones are about twelve million."""
CROWD = ("crowd", "crowd_up", "crowd_down")


class Kernel(Protocol):
    """What the enforcer may do to the packet filter. All raise KernelRefused."""

    def install(self, table: str, elements: Iterable[tuple[Name, Element]]) -> None:
        """Replace the whole table, with these elements already in it, in one transaction."""
        ...

    def carry_out(self, todo: Plan) -> None:
        """Remove and add elements in one transaction."""
        ...

    def structure(self) -> str:
        """The table without elements and counters, rule handles shown; "" when there is no table."""
        ...

    def readings(self, kind: str) -> Iterator[tuple[Name, Reading]]:
        """Every element of one set, as they come; read to the end or left. While the kernel enlarges the set's hash
        table (many were just added) a few may be passed by.
        """
        ...

    def bytes_of(self, name: Name) -> int | None:
        """The counter of one element of ``live``, ``up4`` or ``up6``; None when it is not there."""
        ...

    def crowd(self) -> Seen:
        """Who used the open Wi-Fi of a disaster lately, and how much passed."""
        ...

    def forget(self, mark: int) -> None:
        """Delete the tracked connections that carry ``mark``."""
        ...


class NftKernel:
    """The kernel of the network namespace this thread is in."""

    def __init__(self) -> None:
        self._nft = Nft()
        self._netlink = netlink.Netlink(netlink.NETLINK_NETFILTER)
        self._dumps = netlink.Netlink(netlink.NETLINK_NETFILTER)
        self._netlink.allow(LARGEST_BATCH)

    def install(self, table: str, elements: Iterable[tuple[Name, Element]]) -> None:
        """See Kernel."""
        try:
            self._nft.run(table + additions(elements))
        finally:
            self._nft.renew()

    def carry_out(self, todo: Plan) -> None:
        """See Kernel."""
        steps = elements.changes(todo)
        if not steps:
            return
        try:
            self._netlink.transact(steps)
        except OSError as error:
            raise KernelRefused(what="elements", reason=error.errno) from error

    def structure(self) -> str:
        """See Kernel."""
        try:
            return self._nft.run(f"list table inet {TABLE}", TERSE | HANDLE | STATELESS)
        except KernelRefused:
            return ""
        finally:
            self._nft.renew()

    def readings(self, kind: str) -> Iterator[tuple[Name, Reading]]:
        """See Kernel."""
        try:
            for body in self._dumps.dump(elements.GET, elements.question(kind)):
                yield from elements.readings(kind, body)
        except OSError as error:
            raise KernelRefused(what=kind, reason=error.errno) from error

    def bytes_of(self, name: Name) -> int | None:
        """See Kernel."""
        try:
            answers = self._netlink.ask(elements.GET, elements.question_one(name))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KernelRefused(what="element", reason=error.errno) from error
        return next((r.bytes for _, body in answers for _, r in elements.readings(name.set, body)), None)

    def crowd(self) -> Seen:
        """See Kernel."""
        phones, up, down = ({n.key: r.bytes for n, r in self.readings(kind)} for kind in CROWD)
        pairs = {(interface.strip('"'), mac) for interface, _, mac in (key.partition(" . ") for key in phones)}
        return Seen(pairs, *({key.strip('"'): count for key, count in way.items()} for way in (up, down)))

    def forget(self, mark: int) -> None:
        """See Kernel. linux/netfilter/nfnetlink_conntrack.h: CT_DELETE with CTA_MARK and CTA_MARK_MASK."""
        body = struct.pack(">BBH", 0, 0, 0)
        body += netlink.attribute(8, struct.pack(">I", mark)) + netlink.attribute(21, b"\xff" * 4)
        try:
            self._netlink.ask(1 << 8 | 2, body)
        except FileNotFoundError:
            return
        except OSError as error:
            raise KernelRefused(what="conntrack", reason=error.errno) from error

    def close(self) -> None:
        """Give sockets and contexts back; the rules stay."""
        self._nft.close()
        self._netlink.close()
        self._dumps.close()
