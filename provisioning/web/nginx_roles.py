"""The configurations of nginx, by role: settings in, configuration out. Pure but for the words of the error pages."""

from __future__ import annotations

from pathlib import Path

from captive_portal.portal.languages import read_catalogues
from kiosk.issuer.settings import IssuerSettings
from provisioning.box.render import nginx_mutual, nginx_portal
from provisioning.box.render.nginx import NginxRuntime, Tls, addresses, nginx
from provisioning.box.render.nginx_pages import pages
from provisioning.cityhall.settings import CityHallSettings
from provisioning.site.issuer_place import asks_for_list
from provisioning.site.model import Site
from provisioning.web.nginx_process import NginxConfiguration


def box(site: Site, state: Path, runtime: NginxRuntime) -> NginxConfiguration:
    """For a box: its portal, and an issuer for kiosks on other machines. Raises CannotRender."""
    servers: list[str] = []
    listening: list[tuple[str, int]] = []
    credentials: list[Path] = []
    files: dict[Path, str] = {}
    if site.wifi is not None:
        portal, pair = site.wifi.portal, nginx_portal.pair_of(site.wifi.portal, state)
        servers += nginx_portal.portal(site.wifi, state, runtime)
        listening += addresses(portal.host, portal.port, runtime)
        listening += addresses(portal.host, portal.tls_port, runtime) if pair else []
        credentials += files_of(pair)
        files |= pages(portal, read_catalogues())
    if site.issuer is not None and asks_for_list(site):
        city = site.cityhall_link.ca if site.cityhall_link else ""
        own, place = (
            issuer_tls(site.issuer, Tls(Path(), Path(), Path(city)), state),
            (site.issuer.host, site.issuer.port),
        )
        servers += nginx_mutual.issuer(place, own, state, runtime, asks_city_hall=False)
        listening += addresses(*place, runtime)
        credentials += files_of(own)
    return NginxConfiguration(nginx(servers, runtime), files, listening, credentials)


def cityhall(
    settings: CityHallSettings, own: Tls, state: Path, runtime: NginxRuntime, issuer: IssuerSettings | None = None
) -> NginxConfiguration:
    """City hall's service, and the issuer on the same machine. own: with the CA of the boxes. Raises CannotRender."""
    servers = nginx_mutual.cityhall(settings, own, state, runtime)
    ports = (settings.staff_port, settings.enrol_port, settings.box_port)
    listening = [address for port in ports for address in addresses(settings.host, port, runtime)]
    credentials = files_of(own)
    if issuer is not None and issuer.serves_others:
        pair, place = issuer_tls(issuer, own, state), (issuer.host, issuer.port)
        servers += nginx_mutual.issuer(place, pair, state, runtime, asks_city_hall=True)
        listening += addresses(*place, runtime)
        credentials = list(dict.fromkeys([*credentials, *files_of(pair)]))
    return NginxConfiguration(nginx(servers, runtime), {}, listening, credentials)


def issuer_tls(settings: IssuerSettings, own: Tls, state: Path) -> Tls:
    """The TLS files of an issuer for kiosks on other machines: its own where they are named, else city hall's."""
    pair = (settings.tls_certificate, settings.tls_key)
    certificate, key = (state / name for name in pair) if settings.tls_certificate else (own.certificate, own.key)
    client_ca = Path(settings.client_ca) if settings.client_ca else own.client_ca or Path()
    return Tls(certificate, key, state / client_ca)


def files_of(pair: Tls | None) -> list[Path]:
    """The files of a credential."""
    return [file for file in pair or () if file is not None]
