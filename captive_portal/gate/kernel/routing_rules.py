"""Routing beside the table: shut for what carries no mark, and forwarding switched on after that."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel import netlink


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
        """Switch forwarding on, after the rules stand; False when the kernel's settings cannot be written here."""
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
