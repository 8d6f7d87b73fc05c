"""What a settings file must hold beyond types: names that exist, addresses that fit. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable
from importlib import resources
from urllib.parse import urlsplit

from captive_portal.portal.languages import LANGUAGES
from kiosk.issuer.protocol import Kind
from kiosk.services import ROWS
from provisioning.backup.age import parse_recipient
from provisioning.backup.errors import KeyInvalid
from provisioning.box.render.wrong import Wrong
from provisioning.site.addresses import check_addresses
from provisioning.site.model import Site

HOST = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
"""A DNS name (RFC 1123 §2.1), or an IPv4 address."""
MIN_WARNING_SECONDS = 20
"""WCAG 2.2 §2.2.1: at least so long to say that one is still there."""
_HASH = re.compile(r"scrypt\$[A-Za-z0-9+/]{16,}={0,2}\$[A-Za-z0-9+/]{16,}={0,2}")


def check_site(site: Site) -> None:
    """Raises Wrong for the first setting that makes no sense."""
    for check in _CHECKS:
        check(site)


def kiosk_languages() -> list[str]:
    """The languages that screens are written in."""
    files = resources.files("kiosk.shell").joinpath("locale").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def _kinds(site: Site) -> None:
    known = [kind.value for kind in Kind]
    for kind in site.issuer.fees_yen if site.issuer else ():
        if kind not in known:
            raise Wrong(f"issuer.fees_yen.{kind}", "unknown_kind", value=kind, known=", ".join(known))


def _languages(site: Site) -> None:
    _offered("kiosk.languages", site.kiosk.languages, kiosk_languages())
    if site.wifi:
        _offered("wifi.portal.languages", site.wifi.portal.languages, list(LANGUAGES))


def _offered(key: str, wanted: list[str], known: list[str]) -> None:
    for language in wanted:
        if language not in known:
            raise Wrong(key, "unknown_language", value=language, known=", ".join(known))


def _services(site: Site) -> None:
    for service in site.kiosk.services:
        if service not in ROWS:
            raise Wrong("kiosk.services", "unknown_service", value=service, known=", ".join(ROWS))


def _addresses(site: Site) -> None:
    uri = site.page_printer.uri
    if urlsplit(uri).scheme not in ("ipp", "ipps") or not urlsplit(uri).hostname:
        raise Wrong("page_printer.uri", "not_a_printer", value=uri)
    url = site.issuer_link.url
    if not re.fullmatch(r"https?://[^/\s?#@]+", url):
        raise Wrong("issuer_link.url", "not_a_link", value=url)


def _hosts(site: Site) -> None:
    """Names without scheme, port and path: programs that take them would not find them."""
    found = [("receipt_printer.host", site.receipt_printer.host)]
    found += [("network.ntp", name) for name in site.network.ntp]
    found += [("fleet_link.host", site.fleet_link.host)] if site.fleet_link else []
    found += [("fleet.names", name) for name in site.fleet.names] if site.fleet else []
    if site.wifi:
        found.append(("wifi.portal.name", site.wifi.portal.name))
        found += [("wifi.spots.garden", name) for spot in site.wifi.spots for name in spot.garden]
    for key, name in found:
        if name and not (HOST.fullmatch(name) or _is_address(name)):
            raise Wrong(key, "not_a_host", value=name)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _said_to_people(site: Site) -> None:
    """What stands on screens and papers cannot be empty."""
    texts = {
        "city.name_ja": site.city.name_ja,
        "city.name_en": site.city.name_en,
        "city.telephone": site.city.telephone,
    }
    if site.issuer:
        texts["issuer.mayor"] = site.issuer.mayor
    for key, text in texts.items():
        if not text.strip():
            raise Wrong(key, "empty")


def _numbers(site: Site) -> None:
    if site.kiosk.warning_seconds < MIN_WARNING_SECONDS:
        raise Wrong("kiosk.warning_seconds", "too_short", least=str(MIN_WARNING_SECONDS))
    if site.kiosk.idle_seconds < MIN_WARNING_SECONDS:
        raise Wrong("kiosk.idle_seconds", "too_short", least=str(MIN_WARNING_SECONDS))
    for kind, yen in site.issuer.fees_yen.items() if site.issuer else ():
        if yen < 0:
            raise Wrong(f"issuer.fees_yen.{kind}", "below_zero", value=str(yen))


def _codes(site: Site) -> None:
    """Texts that a command makes, or an office gives, and nobody can see a slip in. Secrets are not repeated."""
    if site.kiosk.staff_code_hash and not _HASH.fullmatch(site.kiosk.staff_code_hash):
        raise Wrong("kiosk.staff_code_hash", "not_a_hash")
    if site.issuer and not re.fullmatch("[0-9]{5,6}", site.issuer.municipality_code):
        raise Wrong("issuer.municipality_code", "no_municipality", value=site.issuer.municipality_code)
    if site.backup:
        try:
            parse_recipient(site.backup.recipient)
        except KeyInvalid as error:
            raise Wrong("backup.recipient", "not_a_recipient", value=site.backup.recipient) from error


def _spots(site: Site) -> None:
    spots = site.wifi.spots if site.wifi else []
    for key, code, values in (
        ("wifi.spots.name", "spot_twice", [spot.name for spot in spots]),
        ("wifi.spots.interface", "same_interface", [spot.interface for spot in spots]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                raise Wrong(key, code, value=value)


_CHECKS: tuple[Callable[[Site], None], ...] = (
    _kinds,
    _languages,
    _services,
    _addresses,
    _hosts,
    _said_to_people,
    _numbers,
    _codes,
    _spots,
    check_addresses,
)
