"""Keeps the phones on a spot's bridge apart: its ports are isolated, those that join later as well.

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


class Isolation:
    """The bridges among ``interfaces``, in the network namespace of this thread."""

    def __init__(self, interfaces: Iterable[str], log: Log) -> None:
        self._interfaces = tuple(interfaces)
        self._log = log
        self.watch = netlink.listener(netlink.NETLINK_ROUTE, group=1)  # RTNLGRP_LINK: a port has joined or changed

    def heard(self) -> None:
        """Links changed: look again."""
        netlink.drain(self.watch)
        self.keep()

    def keep(self) -> int:
        """Isolate every port that is not; how many were changed. What the kernel refuses is told and left."""
        route = netlink.Netlink(netlink.NETLINK_ROUTE)
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

    def _open_ports(self, route: netlink.Netlink) -> list[int]:
        bridges = {index for name in self._interfaces if (index := _index(name))}
        found = []
        for _, content in route.ask(GETLINK, _IFINFO.pack(AF_BRIDGE, 0, 0, 0, 0, 0), netlink.DUMP):
            facts = dict(netlink.attributes(content[_IFINFO.size :]))
            port = dict(netlink.attributes(facts.get(PROTINFO, b"")))
            master = int.from_bytes(facts.get(MASTER, b""), "little" if struct.pack("=H", 1)[0] else "big")
            if master in bridges and port.get(ISOLATED) == b"\0":
                found.append(_IFINFO.unpack_from(content)[3])
        return found

    def close(self) -> None:
        """Stop hearing; the ports stay isolated."""
        self.watch.close()


def _index(name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return 0


def _isolate(route: netlink.Netlink, port: int) -> None:
    flag = netlink.attribute(ISOLATED, b"\1")
    body = _IFINFO.pack(AF_BRIDGE, 0, 0, port, 0, 0) + netlink.attribute(PROTINFO | netlink.NESTED, flag)
    route.ask(SETLINK, body)
