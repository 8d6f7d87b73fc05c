"""Addresses of one site file that have to fit together: networks that overlap, ports taken twice, interfaces. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations

from captive_portal.settings import SpotSettings
from provisioning.box.render.wrong import Wrong
from provisioning.site.model import Site

Net = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAX_PORT = 65535


def check_addresses(site: Site) -> None:
    """Raises Wrong for the first thing that does not fit."""
    _networks(site)
    _interfaces(site)
    _ports(site)


def networks_of(spot: SpotSettings) -> list[Net]:
    """The networks that phones of ``spot`` get addresses of."""
    found: list[Net] = [ipaddress.ip_network(f"{spot.ipv4.gateway}/{spot.ipv4.prefix}", strict=False)]
    return found + ([ipaddress.ip_network(spot.ipv6.network)] if spot.ipv6.mode != "off" else [])


def _networks(site: Site) -> None:
    spots = site.wifi.spots if site.wifi else []
    for one, other in combinations(spots, 2):
        for net in networks_of(other):
            if any(_overlap(net, before) for before in networks_of(one)):
                key = f"wifi.spots.ipv{net.version}"
                value = other.ipv4.gateway if net.version == 4 else other.ipv6.network
                raise Wrong(key, "networks_overlap", value=value, one=one.name, other=other.name, network=str(net))
    own = ipaddress.ip_interface(site.network.address).network if site.network.address else None
    for spot in spots:
        if own and any(_overlap(net, own) for net in networks_of(spot)):
            raise Wrong("network.address", "uplink_overlaps", value=site.network.address, spot=spot.name)


def _overlap(one: Net, other: Net) -> bool:
    if isinstance(one, ipaddress.IPv4Network) and isinstance(other, ipaddress.IPv4Network):
        return one.overlaps(other)
    return isinstance(one, ipaddress.IPv6Network) and isinstance(other, ipaddress.IPv6Network) and one.overlaps(other)


def _interfaces(site: Site) -> None:
    """Phones may not stand on the city's side of the gate."""
    for spot in site.wifi.spots if site.wifi else []:
        if spot.interface in (spot.uplink, site.network.uplink):
            raise Wrong("wifi.spots.interface", "interface_is_uplink", value=spot.interface, spot=spot.name)


def _ports(site: Site) -> None:
    seen: dict[int, str] = {}
    printer = site.receipt_printer.port
    if not 1 <= printer <= _MAX_PORT:
        raise Wrong("receipt_printer.port", "no_port", value=str(printer))
    for key, port in _listening(site):
        if not 1 <= port <= _MAX_PORT:
            raise Wrong(key, "no_port", value=str(port))
        if port in seen:
            raise Wrong(key, "port_twice", value=str(port), other=seen[port])
        seen[port] = key


def _listening(site: Site) -> Iterator[tuple[str, int]]:
    """Every port that a process of this box listens on."""
    if "kiosk" in site.box.parts:
        yield "kiosk.port", site.kiosk.port
    if site.issuer:
        yield "issuer.port", site.issuer.port
    if site.wifi:
        yield "wifi.portal.port", site.wifi.portal.port
        yield "wifi.portal.tls_port", site.wifi.portal.tls_port
        yield "wifi.stats.port", site.wifi.stats.port
    if site.fleet:
        yield "fleet.staff_port", site.fleet.staff_port
        yield "fleet.enrol_port", site.fleet.enrol_port
        yield "fleet.box_port", site.fleet.box_port
