"""Networks that no phone reaches through the box: those that a city numbers its own with, and special ones. Pure.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190), RFC 5771 and RFC 4291 §2.7 for
multicast, RFC 3879 for site-local. Left open: documentation (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24,
2001:db8::/32, 3fff::/20) and benchmarking (198.18.0.0/15, RFC 2544). They are nobody's network, no router of the
Internet carries them, and the tests' Internet stands on them. A city that uses one names it in ``closed_networks``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TypeVar

from captive_portal.settings import SpotSettings

Net4 = ipaddress.IPv4Network
Net6 = ipaddress.IPv6Network
N = TypeVar("N", Net4, Net6)

CLOSED4 = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # shared by carriers
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments
    "192.88.99.0/24",  # 6to4 relays, deprecated
    "192.168.0.0/16",  # private
    "224.0.0.0/3",  # multicast, reserved, broadcast
)
CLOSED6 = (
    "::/32",  # unspecified, loopback, IPv4 mapped and compatible
    "64:ff9b:1::/48",  # translation within a network
    "100::/64",  # discard
    "2001::/23",  # protocol assignments, Teredo among them
    "2002::/16",  # 6to4, which holds IPv4 addresses
    "5f00::/16",  # segment routing
    "fc00::/7",  # unique local
    "fe80::/9",  # link-local, site-local
    "ff00::/8",  # multicast
)
NAT64 = ipaddress.IPv6Address("64:ff9b::")
"""RFC 6052: the last 32 bits are an IPv4 address. What is closed there is closed here."""


def closed4(spot: SpotSettings, uplink: Iterable[str] = ()) -> list[Net4]:
    """The closed IPv4 networks of a spot, without its exceptions. uplink: the networks of the uplink."""
    closed = [Net4(net) for net in CLOSED4] + _of(Net4, spot.closed_networks) + _of(Net4, uplink)
    return _without(list(ipaddress.collapse_addresses(closed)), _of(Net4, spot.open_networks))


def closed6(spot: SpotSettings, uplink: Iterable[str] = ()) -> list[Net6]:
    """The closed IPv6 networks likewise; the prefix of NAT64 follows what is closed of IPv4."""
    closed = [Net6(net) for net in CLOSED6] + _of(Net6, spot.closed_networks) + _of(Net6, uplink)
    closed += [Net6((int(NAT64) + int(net[0]), 96 + net.prefixlen)) for net in closed4(spot, uplink)]
    return _without(list(ipaddress.collapse_addresses(closed)), _of(Net6, spot.open_networks))


def _of(kind: type[N], networks: Iterable[str]) -> list[N]:
    found = (ipaddress.ip_network(net, strict=False) for net in networks)
    return [net for net in found if isinstance(net, kind)]


def _without(closed: Sequence[N], exceptions: Iterable[N]) -> list[N]:
    left = list(closed)
    for hole in exceptions:
        left = [part for net in left for part in _outside(net, hole)]
    return sorted(left)


def _outside(net: N, hole: N) -> list[N]:
    if not net.overlaps(hole):
        return [net]
    return [] if net.subnet_of(hole) else list(net.address_exclude(hole))
