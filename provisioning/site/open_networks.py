"""Exceptions from a spot's closed networks must not hold what a site file itself names on the city's side. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from provisioning.site.mistakes import Mistake, mistake
from provisioning.site.model import Site

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_NAMED = 3
"""Devices named in one mistake."""


def open_network_mistakes(site: Site) -> Iterator[Mistake]:
    """Of one box and its own devices."""
    yield from _open_to(site, devices_of(site))


def city_open_network_mistakes(sites: Mapping[int, Site]) -> Iterator[tuple[int, Mistake]]:
    """Of each box and the devices of the whole city, where its own devices showed no mistake."""
    every: dict[Address, str] = {}
    for site in sites.values():
        for key, address in devices_of(site).items():
            every.setdefault(address, f"{site.box.name} {key}")
    devices = {name: address for address, name in every.items()}
    for number, site in sites.items():
        told = {found.facts["value"] for found in open_network_mistakes(site)}
        found = (one for one in _open_to(site, devices) if one.facts["value"] not in told)
        yield from ((number, one) for one in found)


def devices_of(site: Site) -> dict[str, Address]:
    """Key of the site file -> address. A name tells no address: it is not looked up."""
    named = {
        "receipt_printer.host": site.receipt_printer.host,
        "page_printer.uri": urlsplit(site.page_printer.uri).hostname or "",
        "issuer_link.url": urlsplit(site.issuer_link.url).hostname or "",
        "cityhall_link.host": site.cityhall_link.host if site.cityhall_link else "",
        "network.address": site.network.address.partition("/")[0],
        "network.gateway": site.network.gateway,
        "wifi.smtp.host": site.wifi.smtp.host if site.wifi and site.wifi.smtp else "",
    }
    found = {key: _address(text) for key, text in named.items()}
    return {key: address for key, address in found.items() if address is not None and not address.is_loopback}


def _open_to(site: Site, devices: Mapping[str, Address]) -> Iterator[Mistake]:
    for number, spot in enumerate(site.wifi.spots if site.wifi else []):
        for text in spot.open_networks:
            network = ipaddress.ip_network(text, strict=False)
            inside = [f"{key} = {address}" for key, address in devices.items() if address in network]
            if inside:
                key = f"wifi.spots[{number}].open_networks"
                yield mistake(key, "opens_device", value=text, devices=", ".join(inside[:MAX_NAMED]))


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
