"""Which addresses a spot closes: everything that is not of the public Internet, less the exceptions."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.kernel.closed_networks import closed4, closed6
from tests.captive_portal.gate.sites import a_spot

OPEN4 = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")]
OPEN6 = [ipaddress.ip_network(n) for n in ("2001:db8::/32", "3fff::/20", "64:ff9b::/96")]
"""Documentation and benchmarking are nobody's network; NAT64 follows IPv4."""


def is_closed(address: str, uplink: Sequence[str] = ()) -> bool:
    if ":" in address:
        return any(ipaddress.IPv6Address(address) in net for net in closed6(a_spot(), uplink))
    return any(ipaddress.IPv4Address(address) in net for net in closed4(a_spot(), uplink))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_that_is_not_of_the_internet_is_closed(address: ipaddress.IPv4Address) -> None:
    public = (address.is_global and not address.is_multicast) or any(address in net for net in OPEN4)
    closed = any(address in net for net in closed4(a_spot()))
    assert closed or public


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_that_is_not_of_the_internet_is_closed(address: ipaddress.IPv6Address) -> None:
    outside = address not in ipaddress.ip_network("2000::/3")
    if any(address in net for net in (*OPEN6, *closed6(a_spot()))):
        return
    assert address.is_global or outside  # outside 2000::/3 nobody has an address (RFC 4291 §2.4)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "203.0.113.9", "2404:6800::1", "64:ff9b::808:808"])
def test_the_internet_is_open(address: str) -> None:
    assert not is_closed(address)


@pytest.mark.parametrize("address", ["203.0.113.9", "2404:6800::1", "64:ff9b::cb00:7109"])
def test_the_uplinks_own_networks_are_closed(address: str) -> None:
    assert is_closed(address, ["203.0.113.0/24", "2404:6800::/64"])


@given(st.ip_addresses(network="10.0.0.0/8"), st.integers(9, 32))
def test_an_exception_opens_itself_and_nothing_beside_it(address: ipaddress.IPv4Address, bits: int) -> None:
    hole = ipaddress.IPv4Network((address, bits), strict=False)
    closed = closed4(a_spot(closed_networks=["10.0.0.0/8"], open_networks=[str(hole)]))
    assert not any(net.overlaps(hole) for net in closed)
    inside = [net for net in closed if net.subnet_of(ipaddress.IPv4Network("10.0.0.0/8"))]
    assert sum(net.num_addresses for net in inside) == 2**24 - hole.num_addresses
