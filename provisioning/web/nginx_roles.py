"""The configurations of nginx, by role: settings in, configuration out. Pure but for the words of the error pages."""

from __future__ import annotations

from pathlib import Path

from captive_portal.portal.languages import read_catalogues
from kiosk.issuer.settings import IssuerSettings
from provisioning.box.render import nginx_mutual, nginx_portal
from provisioning.box.render.nginx import NginxRuntime, Tls, addresses, nginx
from provisioning.box.render.nginx_pages import pages
from provisioning.cityhall.settings import CityHallSettings
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
    if site.issuer is not None and (own := issuer_tls(site.issuer, state)) is not None:
        servers += nginx_mutual.issuer(site.issuer.host, site.issuer.port, own, state, runtime)
        listening += addresses(site.issuer.host, site.issuer.port, runtime)
        credentials += files_of(own)
    return NginxConfiguration(nginx(servers, runtime), files, listening, credentials)


def cityhall(settings: CityHallSettings, own: Tls, state: Path, runtime: NginxRuntime) -> NginxConfiguration:
    """City hall's service. own: with the CA of the boxes. Raises CannotRender."""
    ports = (settings.staff_port, settings.enrol_port, settings.box_port)
    listening = [address for port in ports for address in addresses(settings.host, port, runtime)]
    return NginxConfiguration(
        nginx(nginx_mutual.cityhall(settings, own, state, runtime), runtime), {}, listening, files_of(own)
    )


def issuer_tls(settings: IssuerSettings, state: Path) -> Tls | None:
    """The TLS files of an issuer for kiosks on other machines; None for one on loopback."""
    if not settings.tls_certificate:
        return None
    return Tls(state / settings.tls_certificate, state / settings.tls_key, state / settings.client_ca)


def files_of(pair: Tls | None) -> list[Path]:
    """The files of a credential."""
    return [file for file in pair or () if file is not None]
