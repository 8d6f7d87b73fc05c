"""What a settings file must hold beyond types: names that exist, addresses that fit. Pure.

May import: provisioning.site, provisioning.render.wrong, the rooms' lists of kinds and languages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from importlib import resources
from urllib.parse import urlsplit

from captive_portal.portal.languages import LANGUAGES
from kiosk.issuer.protocol import Kind
from provisioning.render.wrong import Wrong
from provisioning.site import Site


def check_site(site: Site) -> None:
    """Raises Wrong for the first setting that makes no sense."""
    for check in _CHECKS:
        check(site)


def kiosk_languages() -> list[str]:
    """The languages that screens are written in."""
    files = resources.files("kiosk").joinpath("locale").iterdir()
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


def _addresses(site: Site) -> None:
    uri = site.page_printer.uri
    if urlsplit(uri).scheme not in ("ipp", "ipps") or not urlsplit(uri).hostname:
        raise Wrong("page_printer.uri", "not_a_printer", value=uri)
    url = site.issuer_link.url
    if not re.fullmatch(r"https?://[^/]+", url):
        raise Wrong("issuer_link.url", "not_a_link", value=url)


def _spots(site: Site) -> None:
    spots = site.wifi.spots if site.wifi else []
    for key, code, values in (
        ("wifi.spots.name", "spot_twice", [spot.name for spot in spots]),
        ("wifi.spots.interface", "same_interface", [spot.interface for spot in spots]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                raise Wrong(key, code, value=value)


_CHECKS: tuple[Callable[[Site], None], ...] = (_kinds, _languages, _addresses, _spots)
