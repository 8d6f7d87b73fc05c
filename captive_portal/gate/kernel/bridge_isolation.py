"""Isolates the ports of the spots' bridges, also those that join later, so that phones cannot reach each other.

An isolated port passes frames to and from the bridge itself only, so that a phone on a wire or on another access point
cannot reach its neighbour (linux/if_link.h IFLA_BRPORT_ISOLATED).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

from captive_portal.gate.kernel import netlink
from device.logs import Log

AF_BRIDGE = 7
GETLINK, SETLINK = 18, 19
MASTER, PROTINFO, ISOLATED = 10, 12, 33
_IFINFO = struct.Struct("=BBHiII")


class BridgePortIsolation:
    """The bridges among ``interfaces``, in the network namespace of this thread."""

    def __init__(self, interfaces: Iterable[str], log: Log) -> None:
        self._interfaces = tuple(interfaces)
        self._log = log
        self.link_monitor = netlink.open_listener(
            netlink.NETLINK_ROUTE, group=1
        )  # RTNLGRP_LINK: a port has joined or changed

    def on_link_change(self) -> None:
        """A link was added or changed: isolate new ports."""
        netlink.drain(self.link_monitor)
        self.isolate_ports()

    def isolate_ports(self) -> int:
        """Isolate every port that is not. The number of ports changed; a refusal of the kernel is logged."""
        route = netlink.NetlinkSocket(netlink.NETLINK_ROUTE)
        try:
            ports = self._open_ports(route)
            for port in ports:
                _isolate(route, port)
        except OSError as error:
            self._log.warning("ports_not_isolated", reason=type(error).__name__)
            return 0
        finally:
            route.close()
        if ports:
            self._log.info("ports_isolated", count=len(ports))
        return len(ports)

    def _open_ports(self, route: netlink.NetlinkSocket) -> list[int]:
        bridges = {index for name in self._interfaces if (index := _index(name))}
        found = []
        for _, content in route.request(GETLINK, _IFINFO.pack(AF_BRIDGE, 0, 0, 0, 0, 0), netlink.DUMP):
            facts = dict(netlink.attributes(content[_IFINFO.size :]))
            port = dict(netlink.attributes(facts.get(PROTINFO, b"")))
            master = int.from_bytes(facts.get(MASTER, b""), "little" if struct.pack("=H", 1)[0] else "big")
            if master in bridges and port.get(ISOLATED) == b"\0":
                found.append(_IFINFO.unpack_from(content)[3])
        return found

    def close(self) -> None:
        """Close the monitor; the ports stay isolated."""
        self.link_monitor.close()


def _index(name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return 0


def _isolate(route: netlink.NetlinkSocket, port: int) -> None:
    flag = netlink.attribute(ISOLATED, b"\1")
    body = _IFINFO.pack(AF_BRIDGE, 0, 0, port, 0, 0) + netlink.attribute(PROTINFO | netlink.NESTED, flag)
    route.request(SETLINK, body)
