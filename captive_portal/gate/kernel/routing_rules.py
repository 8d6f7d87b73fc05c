"""Routing rules beside the nftables tables: unmarked packets are prohibited before forwarding is enabled."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel import netlink
from device.logs import Log


class RoutingRules:
    """Routing rules that prohibit forwarding of a phone's packet without a mark, even when both tables are missing.
    monitors: sockets to watch; ``on_change`` when one of them is readable.
    """

    PRIORITY = 99
    PROHIBIT = 8  # linux/fib_rules.h FR_ACT_PROHIBIT
    GROUPS = (8, 19)  # linux/rtnetlink.h RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE

    def __init__(self, interfaces: Iterable[str], log: Log, sysctl: Path = Path("/proc/sys/net")) -> None:
        self._interfaces = list(interfaces)
        self._log = log
        self._sysctl = sysctl
        self.monitors = [netlink.open_listener(netlink.NETLINK_ROUTE, group) for group in self.GROUPS]

    def on_change(self) -> None:
        """A rule came or went: add those that are missing."""
        for monitor in self.monitors:
            netlink.drain(monitor)
        try:
            self.prohibit_unmarked()
        except KernelRefused as error:
            self._log.error("kernel_refused", what=error.facts.get("what"), reason=error.facts.get("reason"))

    def prohibit_unmarked(self) -> None:
        """Add the rules that are missing. Raises KernelRefused."""
        route = netlink.NetlinkSocket(netlink.NETLINK_ROUTE)
        try:
            for interface in self._interfaces:
                for family in (2, 10):
                    _add_rule(route, family, interface)
        finally:
            route.close()

    def enable_forwarding(self, *, ipv6: bool) -> bool:
        """Enable IP forwarding, once the rules exist. False when the sysctl cannot be written."""
        wanted = ["ipv4/ip_forward", *(["ipv6/conf/all/forwarding"] if ipv6 else [])]
        try:
            for name in wanted:
                if (self._sysctl / name).read_text().strip() != "1":
                    (self._sysctl / name).write_text("1")
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the monitors; the rules stay in the kernel."""
        for monitor in self.monitors:
            monitor.close()


def _add_rule(route: netlink.NetlinkSocket, family: int, interface: str) -> None:
    head = struct.pack("=8BI", family, 0, 0, 0, 0, 0, 0, RoutingRules.PROHIBIT, 0)
    body = head + netlink.attribute(3, interface.encode() + b"\0")  # FRA_IIFNAME
    body += netlink.attribute(6, struct.pack("=I", RoutingRules.PRIORITY))
    body += netlink.attribute(10, struct.pack("=I", 0)) + netlink.attribute(16, struct.pack("=I", 0xFFFFFFFF))
    try:
        route.request(32, body, netlink.ACK | netlink.CREATE | netlink.EXCL)  # RTM_NEWRULE
    except FileExistsError:
        return
    except OSError as error:
        if family == 10:  # a kernel without IPv6 forwards none
            return
        raise KernelRefused(what="rule", reason=error.errno) from error
