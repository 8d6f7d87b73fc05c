"""The networks on which the uplinks stand, as the kernel has them now: the prefixes of their addresses, and the on-link
prefixes that a router advertised. Numbers: linux/rtnetlink.h, linux/if_addr.h.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterable, Iterator

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel import netlink

Networks = dict[str, tuple[str, ...]]
"""Interface -> its networks, sorted."""
GETADDR, GETROUTE = 22, 26
_GROUPS = (5, 7, 9, 11)  # RTNLGRP_IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE
_ADDRESS = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, index
_ROUTE = struct.Struct("=8BI")  # rtmsg: family, destination length, …, table, protocol, scope, type, flags
_KERNEL, _ADVERTISED = 2, 9  # RTPROT_KERNEL, RTPROT_RA
_UNICAST = 1
_DESTINATION, _OUT, _GATEWAY = 1, 4, 5  # RTA_DST, RTA_OIF, RTA_GATEWAY


class UplinkNetworks:
    """The uplinks ``interfaces``, in the network namespace of this thread. monitors: sockets to watch; when one is
    readable, ``drain`` and ``read`` again.
    """

    def __init__(self, interfaces: Iterable[str]) -> None:
        self._interfaces = sorted(set(interfaces))
        self.monitors = [netlink.open_listener(netlink.NETLINK_ROUTE, group) for group in _GROUPS]

    def drain(self) -> None:
        """Discard pending notifications."""
        for monitor in self.monitors:
            netlink.drain(monitor)

    def read(self) -> Networks:
        """What stands now; an interface that is not there has none. Raises KernelRefused."""
        index = {number: name for number, name in socket.if_nameindex() if name in self._interfaces}
        found: dict[str, set[str]] = {name: set() for name in self._interfaces}
        route = netlink.NetlinkSocket(netlink.NETLINK_ROUTE)
        try:
            for at, network in (*_by_address(route), *_by_route(route)):
                if at in index:
                    found[index[at]].add(network)
        except OSError as error:
            raise KernelRefused(what="uplink", reason=error.errno) from error
        finally:
            route.close()
        return {name: tuple(sorted(networks)) for name, networks in found.items()}

    def close(self) -> None:
        """Close the monitors."""
        for monitor in self.monitors:
            monitor.close()


def _by_address(route: netlink.NetlinkSocket) -> Iterator[tuple[int, str]]:
    for body in route.dump(GETADDR, _ADDRESS.pack(0, 0, 0, 0, 0)):
        family, bits, _, _, at = _ADDRESS.unpack_from(body)
        facts = dict(netlink.attributes(body[_ADDRESS.size :]))
        raw = facts.get(1, facts.get(2))  # IFA_ADDRESS is the other end on a point-to-point link
        if raw and bits and family in (socket.AF_INET, socket.AF_INET6):
            yield at, _network(raw, bits)


def _by_route(route: netlink.NetlinkSocket) -> Iterator[tuple[int, str]]:
    """Prefixes without a gateway that the kernel or a router advertisement put there; never the default route."""
    for family in (socket.AF_INET, socket.AF_INET6):
        for body in route.dump(GETROUTE, _ROUTE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
            _, bits, _, _, _, protocol, _, kind, _ = _ROUTE.unpack_from(body)
            facts = dict(netlink.attributes(body[_ROUTE.size :]))
            own = kind == _UNICAST and protocol in (_KERNEL, _ADVERTISED) and bits and _GATEWAY not in facts
            if own and _DESTINATION in facts and _OUT in facts:
                yield struct.unpack("=I", facts[_OUT])[0], _network(facts[_DESTINATION], bits)


def _network(raw: bytes, bits: int) -> str:
    return str(ipaddress.ip_network((raw, bits), strict=False))
