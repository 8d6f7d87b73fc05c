"""The port to the packet filter, its real end, and one in memory with the same manners.

May import: crowd, nft, netlink, reconcile, ruleset, errors, device.clock.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from captive_portal.gate import netlink
from captive_portal.gate.crowd import Seen
from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.nft import HANDLE, STATELESS, TERSE, Nft
from captive_portal.gate.reconcile import MAPS, OURS, Element, Name, Plan, Reading, commands
from captive_portal.gate.ruleset import TABLE
from device.clock import Clock


class Kernel(Protocol):
    """What the enforcer may do to the packet filter. All raise KernelRefused."""

    def install(self, table: str, elements: Plan) -> None:
        """Replace the whole table, with these elements already in it, in one transaction."""
        ...

    def carry_out(self, todo: Plan) -> None:
        """Remove and add elements in one transaction."""
        ...

    def structure(self) -> str:
        """The table without elements and counters, rule handles shown; "" when there is no table."""
        ...

    def readings(self) -> dict[Name, Reading]:
        """Every element of our own sets (reconcile.OURS)."""
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

    def install(self, table: str, elements: Plan) -> None:
        """See Kernel."""
        self._nft.run(table + commands(elements))

    def carry_out(self, todo: Plan) -> None:
        """See Kernel."""
        self._nft.run(commands(todo))

    def structure(self) -> str:
        """See Kernel."""
        try:
            return self._nft.run(f"list table inet {TABLE}", TERSE | HANDLE | STATELESS)
        except KernelRefused:
            return ""

    def readings(self) -> dict[Name, Reading]:
        """See Kernel."""
        found: dict[Name, Reading] = {}
        for kind in sorted(OURS):
            text = self._nft.run(f"list {'map' if kind in MAPS else 'set'} inet {TABLE} {kind}")
            found |= parse_elements(kind, text)
        return found

    def bytes_of(self, name: Name) -> int | None:
        """See Kernel. linux/netfilter/nf_tables.h: NFT_MSG_GETSETELEM."""
        nested = netlink.NESTED
        key = netlink.attribute(1 | nested, netlink.attribute(1, _binary(name)))  # NFTA_SET_ELEM_KEY, NFTA_DATA_VALUE
        table, kind = netlink.attribute(1, TABLE.encode() + b"\0"), netlink.attribute(2, name.set.encode() + b"\0")
        body = _nfgen(1) + table + kind + netlink.attribute(3 | nested, netlink.attribute(1 | nested, key))
        try:
            answers = self._netlink.ask(10 << 8 | 13, body)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KernelRefused(what="element", reason=error.errno) from error
        return next((_counter(content) for _, content in answers), None)

    def crowd(self) -> Seen:
        """See Kernel."""
        shown = {k: parse_elements(k, self._nft.run(f"list set inet {TABLE} {k}")) for k in CROWD}
        phones, up, down = ({n.key: r.bytes for n, r in shown[kind].items()} for kind in CROWD)
        pairs = {(interface.strip('"'), mac) for interface, _, mac in (key.partition(" . ") for key in phones)}
        return Seen(pairs, *({key.strip('"'): count for key, count in way.items()} for way in (up, down)))

    def forget(self, mark: int) -> None:
        """See Kernel. linux/netfilter/nfnetlink_conntrack.h: CT_DELETE with CTA_MARK and CTA_MARK_MASK."""
        body = _nfgen(0) + netlink.attribute(8, struct.pack(">I", mark)) + netlink.attribute(21, b"\xff" * 4)
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


class MemoryKernel:
    """A packet filter in memory for tests and the demo; time-outs run on ``clock``. ``refuse`` makes it fail."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._elements: dict[Name, tuple[Element, float]] = {}
        self._bytes: dict[Name, int] = {}
        self._table = ""
        self._installed = 0
        self.refuse = False
        self.forgotten: list[int] = []
        self.open_wifi = Seen()

    def install(self, table: str, elements: Plan) -> None:
        """See Kernel."""
        self._fail_if_told()
        self._table, self._installed = table, self._installed + 1
        self._elements.clear()
        self._bytes.clear()
        self._add(elements)

    def carry_out(self, todo: Plan) -> None:
        """See Kernel."""
        self._fail_if_told()
        if not self._table:
            raise KernelRefused(what="nft", reason="No such file or directory")
        for name, _ in todo.remove:
            self._elements.pop(name, None)
            self._bytes.pop(name, None)
        self._add(todo)

    def structure(self) -> str:
        """See Kernel."""
        return f"{self._installed}\n{self._table}" if self._table else ""

    def readings(self) -> dict[Name, Reading]:
        """See Kernel."""
        self._fail_if_told()
        self._expire()
        now = self._clock.monotonic()
        return {
            name: Reading(e if e.seconds is None else e._replace(seconds=ends - now), self._bytes.get(name, 0))
            for name, (e, ends) in self._elements.items()
        }

    def bytes_of(self, name: Name) -> int | None:
        """See Kernel."""
        self._expire()
        return self._bytes.get(name, 0) if name in self._elements else None

    def crowd(self) -> Seen:
        """See Kernel."""
        self._fail_if_told()
        return self.open_wifi

    def forget(self, mark: int) -> None:
        """See Kernel."""
        self.forgotten.append(mark)

    def traffic(self, name: Name, size: int) -> None:
        """``size`` bytes pass by this element."""
        self._bytes[name] = self._bytes.get(name, 0) + size

    def flush(self) -> None:
        """What ``nft flush ruleset`` does."""
        self._table = ""
        self._elements.clear()
        self._bytes.clear()

    def _fail_if_told(self) -> None:
        if self.refuse:
            raise KernelRefused(what="nft", reason="told to")

    def _expire(self) -> None:
        now = self._clock.monotonic()
        for name in [n for n, (e, ends) in self._elements.items() if e.seconds is not None and ends <= now]:
            del self._elements[name]
            self._bytes.pop(name, None)

    def _add(self, todo: Plan) -> None:
        now = self._clock.monotonic()
        for name, element in todo.add:
            self._elements[name] = (element, now + (element.seconds or 0.0))


class Routes:
    """Routing rules that forbid to forward a phone's packet without a mark: shut even without any table."""

    PRIORITY = 99
    PROHIBIT = 8  # linux/fib_rules.h FR_ACT_PROHIBIT

    def __init__(self, sysctl: Path = Path("/proc/sys/net")) -> None:
        self._sysctl = sysctl

    def shut(self, interfaces: Iterable[str]) -> None:
        """Put the rules there; those that stand are left alone."""
        route = netlink.Netlink(netlink.NETLINK_ROUTE)
        try:
            for interface in interfaces:
                for family in (2, 10):
                    _add_rule(route, family, interface)
        finally:
            route.close()

    def forward(self, *, ipv6: bool) -> bool:
        """Switch forwarding on, after the rules stand; False when the kernel's settings can not be written here."""
        wanted = ["ipv4/ip_forward", *(["ipv6/conf/all/forwarding"] if ipv6 else [])]
        try:
            for name in wanted:
                if (self._sysctl / name).read_text().strip() != "1":
                    (self._sysctl / name).write_text("1")
        except OSError:
            return False
        return True


def _add_rule(route: netlink.Netlink, family: int, interface: str) -> None:
    head = struct.pack("=8BI", family, 0, 0, 0, 0, 0, 0, Routes.PROHIBIT, 0)
    body = head + netlink.attribute(3, interface.encode() + b"\0")  # FRA_IIFNAME
    body += netlink.attribute(6, struct.pack("=I", Routes.PRIORITY))
    body += netlink.attribute(10, struct.pack("=I", 0)) + netlink.attribute(16, struct.pack("=I", 0xFFFFFFFF))
    try:
        route.ask(32, body, netlink.ACK | netlink.CREATE | netlink.EXCL)  # RTM_NEWRULE
    except FileExistsError:
        return
    except OSError as error:
        if family == 10:  # a kernel without IPv6 forwards none
            return
        raise KernelRefused(what="rule", reason=error.errno) from error


CROWD = ("crowd", "crowd_up", "crowd_down")
_ELEMENT = re.compile(
    r"\s*(?P<key>[^,]*?)(?: counter packets \d+ bytes (?P<bytes>\d+))?"
    r"(?: timeout \S+)?(?: expires (?P<expires>\S+))?(?: : (?P<mark>0x[0-9a-f]+))?\s*",
)
_PART = re.compile(r"(\d+)(ms|[dhms])")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def parse_elements(kind: str, text: str) -> dict[Name, Reading]:
    """The elements in what nft printed for one set."""
    _, found, rest = text.partition("elements = {")
    if not found:
        return {}
    readings = {}
    for piece in rest[: rest.index("}")].split(","):
        match = _ELEMENT.fullmatch(piece)
        if match:
            seconds = duration(match["expires"]) if match["expires"] else None
            element = Element(int(match["mark"] or "0", 16), seconds)
            readings[Name(kind, match["key"])] = Reading(element, int(match["bytes"] or 0))
    return readings


def duration(text: str) -> float:
    """Seconds of "1d2h3m4s5ms"."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def _nfgen(family: int) -> bytes:
    return struct.pack(">BBH", family, 0, 0)


def _binary(name: Name) -> bytes:
    """The key as the kernel stores it: fields padded to four bytes; names of interfaces to sixteen."""
    if name.set == "live":
        return struct.pack("=I", int(name.key, 16))
    first, second = name.key.split(" . ")
    if name.set == "up4":
        return _mac(first) + bytes(int(part) for part in second.split("."))
    return first.strip('"').encode().ljust(16, b"\0") + _mac(second)


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", "")) + b"\0\0"


def _counter(content: bytes) -> int:
    """Bytes of the first counter in a GETSETELEM answer: NFTA_EXPR_NAME "counter", then NFTA_COUNTER_BYTES (1)."""
    at = content.find(b"counter\0")
    if at < 0:
        return 0
    facts = dict(netlink.attributes(content[at + 8 :]))
    inner = dict(netlink.attributes(facts.get(2, b"")))
    return int.from_bytes(inner.get(1, b""), "big")
