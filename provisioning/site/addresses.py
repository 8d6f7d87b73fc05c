"""Addresses of one site file that have to fit together: networks that overlap, ports taken twice, interfaces. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations

from captive_portal.settings import SpotSettings
from provisioning.site.mistakes import Mistake, mistake
from provisioning.site.model import Site

Net = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAX_PORT = 65535


def address_mistakes(site: Site) -> Iterator[Mistake]:
    """Everything that does not fit."""
    yield from _spots_overlap(site)
    yield from _uplink_overlaps(site)
    yield from _interfaces(site)
    yield from _ports(site)


def networks_of(spot: SpotSettings) -> list[Net]:
    """The networks that phones of ``spot`` get addresses of."""
    found: list[Net] = [ipaddress.ip_network(f"{spot.ipv4.gateway}/{spot.ipv4.prefix}", strict=False)]
    return found + ([ipaddress.ip_network(spot.ipv6.network)] if spot.ipv6.mode != "off" else [])


def spots_of(site: Site) -> list[SpotSettings]:
    """The Wi-Fi spots of this box."""
    return list(site.wifi.spots) if site.wifi else []


def _spots_overlap(site: Site) -> Iterator[Mistake]:
    """Told at the later spot."""
    for (_, one), (number, other) in combinations(enumerate(spots_of(site)), 2):
        for net in networks_of(other):
            if any(_overlap(net, before) for before in networks_of(one)):
                value = other.ipv4.gateway if net.version == 4 else other.ipv6.network
                facts = {"value": value, "one": one.name, "other": other.name, "network": str(net)}
                yield mistake(f"wifi.spots[{number}].ipv{net.version}", "networks_overlap", **facts)


def _uplink_overlaps(site: Site) -> Iterator[Mistake]:
    address = site.network.address
    own = ipaddress.ip_interface(address).network if address else None
    for spot in spots_of(site):
        if own and any(_overlap(net, own) for net in networks_of(spot)):
            yield mistake("network.address", "uplink_overlaps", value=address, spot=spot.name)


def _overlap(one: Net, other: Net) -> bool:
    if isinstance(one, ipaddress.IPv4Network) and isinstance(other, ipaddress.IPv4Network):
        return one.overlaps(other)
    return isinstance(one, ipaddress.IPv6Network) and isinstance(other, ipaddress.IPv6Network) and one.overlaps(other)


def _interfaces(site: Site) -> Iterator[Mistake]:
    """Phones may not stand on the city's side of the gate."""
    for number, spot in enumerate(spots_of(site)):
        if spot.interface in (spot.uplink, site.network.uplink):
            key = f"wifi.spots[{number}].interface"
            yield mistake(key, "interface_is_uplink", value=spot.interface, spot=spot.name)


def _ports(site: Site) -> Iterator[Mistake]:
    seen: dict[int, str] = {}
    printer = site.receipt_printer.port
    if not 1 <= printer <= _MAX_PORT:
        yield mistake("receipt_printer.port", "no_port", value=str(printer))
    for key, port in _listening(site):
        if not 1 <= port <= _MAX_PORT:
            yield mistake(key, "no_port", value=str(port))
        elif port in seen:
            yield mistake(key, "port_twice", value=str(port), other=seen[port])
        else:
            seen[port] = key


def _listening(site: Site) -> Iterator[tuple[str, int]]:
    """Every port that a process of this box listens on."""
    if "kiosk" in site.box.parts:
        yield "kiosk.port", site.kiosk.port
    if site.issuer and site.issuer.serves_others:
        yield "issuer.port", site.issuer.port
    if site.wifi:
        yield "wifi.portal.port", site.wifi.portal.port
        yield "wifi.portal.tls_port", site.wifi.portal.tls_port
        yield "wifi.stats.port", site.wifi.stats.port
    if site.cityhall:
        yield "cityhall.staff_port", site.cityhall.staff_port
        yield "cityhall.enrol_port", site.cityhall.enrol_port
        yield "cityhall.box_port", site.cityhall.box_port
