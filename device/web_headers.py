"""The security headers of every page that Hiroba serves, by kind of page: one table, and no web framework.

A content security policy names all that a page may load; whatever it does not name is refused, and nothing inline runs
(no ``unsafe-…``). Source of the names: W3C Content Security Policy Level 3, Permissions Policy, Referrer Policy; Fetch
(Cross-Origin-Resource-Policy); HTML (Cross-Origin-Opener-Policy).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

NO_STORE = ("Cache-Control", "no-store")
"""For every answer but static files: it may tell something of a visitor."""
_CLOSED = "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
"""Forms go to the page's own server; no <base>; in no other page's frame."""
_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), hid=(), microphone=(), serial=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PageKind(Enum):
    """Whose pages."""

    KIOSK = "kiosk"
    PORTAL = "portal"
    STATISTICS = "statistics"
    CITY_HALL = "city_hall"
    CITY_HALL_KEY = "city_hall_key"


_POLICIES = {
    PageKind.KIOSK: f"default-src 'self'; object-src 'none'; {_CLOSED}",
    PageKind.PORTAL: f"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; {_CLOSED}",
    PageKind.STATISTICS: f"default-src 'none'; style-src 'self'; img-src 'self'; {_CLOSED}",
    PageKind.CITY_HALL: f"default-src 'none'; style-src 'self'; img-src 'self'; {_CLOSED}",
    # A page that speaks to a security key, which takes a script.
    PageKind.CITY_HALL_KEY: f"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; {_CLOSED}",
}
_UNDER_A_LASTING_NAME = {"Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=31536000"}
"""The only pages under a name that TLS proves for good."""
_OWN = {
    # The kiosk's guard compares Origin, which Chromium leaves out under no-referrer.
    PageKind.KIOSK: {"Referrer-Policy": "same-origin"},
    PageKind.PORTAL: {"Referrer-Policy": "no-referrer"},
    PageKind.STATISTICS: {"Referrer-Policy": "no-referrer"},
    PageKind.CITY_HALL: _UNDER_A_LASTING_NAME,
    PageKind.CITY_HALL_KEY: _UNDER_A_LASTING_NAME,
}
HEADERS: Mapping[PageKind, Mapping[str, str]] = {
    kind: {"Content-Security-Policy": _POLICIES[kind], **_COMMON, **_OWN[kind]} for kind in PageKind
}


def picture_policy(style_source: str) -> str:
    """The content security policy of an SVG picture with one style sheet inside. style_source: "'sha256-…'"."""
    return f"default-src 'none'; style-src {style_source}; img-src 'self'; {_CLOSED}"
