"""What the boxes of one city must not do to each other, and what city hall's server says that the others rely on.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from provisioning.cityhall.settings import CityHallLinkSettings, CityHallSettings
from provisioning.site.mistakes import Mistake, mistake
from provisioning.site.model import Site
from provisioning.site.open_networks import city_open_network_mistakes


def city_mistakes(sites: Mapping[int, Site]) -> Iterator[tuple[int, Mistake]]:
    """Every box that does not fit to the others, by its number, and what is wrong with it."""
    yield from _addresses(sites)
    yield from city_open_network_mistakes(sites)
    server = next((site.cityhall for site in sites.values() if site.cityhall and "cityhall" in site.box.parts), None)
    for number, site in sites.items():
        if server and site.cityhall_link:
            yield from ((number, found) for found in _link(site.cityhall_link, server))
    yield from _issuer_links(sites)


def _issuer_links(sites: Mapping[int, Site]) -> Iterator[tuple[int, Mistake]]:
    """A kiosk that calls the issuer by a name its credential does not have, or at another port, gets no connection."""
    servers = [
        site for site in sites.values() if site.issuer and site.issuer.serves_others and "issuer" in site.box.parts
    ]
    ports = {site.issuer.port for site in servers if site.issuer}
    beside = [site.cityhall for site in servers if site.issuer and not site.issuer.tls_certificate and site.cityhall]
    names = {name for hall in beside if not hall.certificate for name in hall.names}
    for number, site in sites.items():
        if not servers or "kiosk" not in site.box.parts or not site.issuer_link.url.startswith("https://"):
            continue
        parts = urlsplit(site.issuer_link.url)
        if len(servers) == len(beside) and names and parts.hostname not in names:
            known = ", ".join(sorted(names))
            yield number, mistake("issuer_link.url", "not_our_name", value=str(parts.hostname), known=known)
        if (parts.port or 443) not in ports:
            known = ", ".join(map(str, sorted(ports)))
            facts = {"value": str(parts.port or 443), "other": "[issuer] port", "known": known}
            yield number, mistake("issuer_link.url", "other_port", **facts)


def _addresses(sites: Mapping[int, Site]) -> Iterator[tuple[int, Mistake]]:
    seen: dict[str, str] = {}
    for number, site in sites.items():
        address = site.network.address.partition("/")[0]
        if address in seen:
            yield number, mistake("network.address", "address_twice", value=address, other=seen[address])
        elif address:
            seen[address] = site.box.name


def _link(link: CityHallLinkSettings, server: CityHallSettings) -> Iterator[Mistake]:
    """A box that calls city hall by another name than its credential says gets no connection, and only then."""
    if not server.certificate and link.host not in server.names:
        yield mistake("cityhall_link.host", "not_our_name", value=link.host, known=", ".join(server.names))
    for name in ("enrol_port", "box_port"):
        own, other = getattr(link, name), getattr(server, name)
        if own != other:
            facts = {"value": str(own), "other": f"[cityhall] {name}", "known": str(other)}
            yield mistake(f"cityhall_link.{name}", "other_port", **facts)
