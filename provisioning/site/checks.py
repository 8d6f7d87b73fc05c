"""What the settings of one box must hold beyond types: names that exist, texts that are there, codes. Pure.

Each check tells every mistake it sees; adding one is a function and its place in ``_CHECKS``.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import resources
from urllib.parse import urlsplit

from captive_portal.portal.languages import LANGUAGES
from kiosk.issuer.connection import means_own_issuer
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.register.act import is_operator
from kiosk.services import ROWS
from provisioning.backup.age import parse_recipient
from provisioning.backup.errors import KeyInvalid
from provisioning.site.addresses import address_mistakes, spots_of
from provisioning.site.issuer_place import city_hall_here
from provisioning.site.mistakes import Mistake, mistake
from provisioning.site.model import Site
from provisioning.site.open_networks import open_network_mistakes
from provisioning.site.rights import right_mistakes
from provisioning.site.wifi_checks import wifi_mistakes

HOST = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
"""A DNS name (RFC 1123 §2.1), or an IPv4 address."""
MIN_WARNING_SECONDS = 20
"""WCAG 2.2 §2.2.1: at least so long to say that one is still there."""
_HASH = re.compile(r"scrypt\$[A-Za-z0-9+/]{16,}={0,2}\$[A-Za-z0-9+/]{16,}={0,2}")


def site_mistakes(site: Site) -> list[Mistake]:
    """Every setting of ``site`` that has the right type and cannot be right."""
    return [found for check in _CHECKS for found in check(site)]


def kiosk_languages() -> list[str]:
    """The languages that screens are written in."""
    files = resources.files("kiosk.shell").joinpath("locale").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def _kinds(site: Site) -> Iterator[Mistake]:
    known = list(KINDS)
    for kind in site.issuer.fees_yen if site.issuer else ():
        if kind not in known:
            yield mistake(f"issuer.fees_yen.{kind}", "unknown_kind", value=kind, known=", ".join(known))


def _languages(site: Site) -> Iterator[Mistake]:
    yield from _offered("kiosk.languages", site.kiosk.languages, kiosk_languages())
    if site.wifi:
        yield from _offered("wifi.portal.languages", site.wifi.portal.languages, list(LANGUAGES))


def _offered(key: str, wanted: list[str], known: list[str]) -> Iterator[Mistake]:
    for language in wanted:
        if language not in known:
            yield mistake(key, "unknown_language", value=language, known=", ".join(known))


def _services(site: Site) -> Iterator[Mistake]:
    for service in site.kiosk.services:
        if service not in ROWS:
            yield mistake("kiosk.services", "unknown_service", value=service, known=", ".join(ROWS))


def _addresses(site: Site) -> Iterator[Mistake]:
    uri = site.page_printer.uri
    if urlsplit(uri).scheme not in ("ipp", "ipps") or not urlsplit(uri).hostname:
        yield mistake("page_printer.uri", "not_a_printer", value=uri)
    url = site.issuer_link.url
    if url and not re.fullmatch(r"https?://[^/\s?#@]+", url):
        yield mistake("issuer_link.url", "not_a_link", value=url)
    elif not url.startswith("https:") and not means_own_issuer(url):
        yield mistake("issuer_link.url", "plain_link", value=url)
    elif url.startswith("https:") and site.cityhall_link is None:
        yield mistake("issuer_link.url", "link_without_city_hall", value=url)


def _issuer(site: Site) -> Iterator[Mistake]:
    """What an issuer for kiosks on other machines needs to know them."""
    settings = site.issuer
    if settings is None or not settings.serves_others:
        return
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        yield mistake("issuer.tls_key", "key_and_certificate")
    if city_hall_here(site):
        return
    if not settings.tls_certificate:
        yield mistake("issuer.host", "issuer_without_tls", value=settings.host)
    if site.cityhall_link is None:
        yield mistake("issuer.host", "issuer_without_city_hall", value=settings.host)


def _hosts(site: Site) -> Iterator[Mistake]:
    """Names without scheme, port and path: programs that take them would not find them."""
    found = [("receipt_printer.host", site.receipt_printer.host)]
    found += [("network.ntp", name) for name in site.network.ntp]
    found += [("cityhall_link.host", site.cityhall_link.host)] if site.cityhall_link else []
    found += [("cityhall.names", name) for name in site.cityhall.names] if site.cityhall else []
    found += [("wifi.portal.name", site.wifi.portal.name)] if site.wifi else []
    spots = enumerate(spots_of(site))
    found += [(f"wifi.spots[{number}].garden", name) for number, spot in spots for name in spot.garden]
    for key, name in found:
        if name and not (HOST.fullmatch(name) or _is_address(name)):
            yield mistake(key, "not_a_host", value=name)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _said_to_people(site: Site) -> Iterator[Mistake]:
    """Texts of screens and papers cannot be empty."""
    texts = {
        "city.name_ja": site.city.name_ja,
        "city.name_en": site.city.name_en,
        "city.telephone": site.city.telephone,
    }
    if site.issuer:
        texts["issuer.mayor"] = site.issuer.mayor
    for key, text in texts.items():
        if not text.strip():
            yield mistake(key, "empty")


def _numbers(site: Site) -> Iterator[Mistake]:
    if site.kiosk.warning_seconds < MIN_WARNING_SECONDS:
        yield mistake("kiosk.warning_seconds", "too_short", least=str(MIN_WARNING_SECONDS))
    if site.kiosk.idle_seconds < MIN_WARNING_SECONDS:
        yield mistake("kiosk.idle_seconds", "too_short", least=str(MIN_WARNING_SECONDS))
    for kind, yen in site.issuer.fees_yen.items() if site.issuer else ():
        if yen < 0:
            yield mistake(f"issuer.fees_yen.{kind}", "below_zero", value=str(yen))


def _codes(site: Site) -> Iterator[Mistake]:
    """Texts that a command makes, or an office gives, and nobody can see a slip in. Secrets are not repeated."""
    if site.kiosk.staff_code_hash and not _HASH.fullmatch(site.kiosk.staff_code_hash):
        yield mistake("kiosk.staff_code_hash", "not_a_hash")
    if site.issuer and not re.fullmatch("[0-9]{5,6}", site.issuer.municipality_code):
        yield mistake("issuer.municipality_code", "no_municipality", value=site.issuer.municipality_code)
    if site.backup:
        try:
            parse_recipient(site.backup.recipient)
        except KeyInvalid:
            yield mistake("backup.recipient", "not_a_recipient", value=site.backup.recipient)


def _operators(site: Site) -> Iterator[Mistake]:
    """Each with a name and a code of their own: two names with one code would be one person."""
    operators = site.issuer.operators if site.issuer else []
    for number, operator in enumerate(operators):
        before = operators[:number]
        if not is_operator(operator.name):
            yield mistake(f"issuer.operators[{number}].name", "not_an_operator", value=operator.name)
        if operator.name in [other.name for other in before]:
            yield mistake(f"issuer.operators[{number}].name", "operator_twice", value=operator.name)
        if not _HASH.fullmatch(operator.code_hash):
            yield mistake(f"issuer.operators[{number}].code_hash", "not_a_hash")
        elif operator.code_hash in [other.code_hash for other in before]:
            yield mistake(f"issuer.operators[{number}].code_hash", "code_shared")


def _responder(site: Site) -> Iterator[Mistake]:
    url = site.issuer.revocation.ocsp if site.issuer else ""
    if url and not re.fullmatch(r"http://[A-Za-z0-9.:\[\]-]+(/[!-~]*)?", url):
        yield mistake("issuer.revocation.ocsp", "not_a_responder", value=url)


def _spots(site: Site) -> Iterator[Mistake]:
    """Told at the last spot of those that are alike."""
    spots = spots_of(site)
    for name, code, values in (
        ("name", "spot_twice", [spot.name for spot in spots]),
        ("interface", "same_interface", [spot.interface for spot in spots]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                last = max(number for number, one in enumerate(values) if one == value)
                yield mistake(f"wifi.spots[{last}].{name}", code, value=value)


_CHECKS: tuple[Callable[[Site], Iterator[Mistake]], ...] = (
    _kinds,
    _languages,
    _services,
    _addresses,
    _issuer,
    _hosts,
    _said_to_people,
    _numbers,
    _codes,
    _operators,
    _responder,
    _spots,
    address_mistakes,
    wifi_mistakes,
    open_network_mistakes,
    right_mistakes,
)
