"""The headers that every answer bears. Pure."""

from __future__ import annotations

from device.web_headers import HEADERS, NO_STORE, PageKind

__all__ = ["GUARDS", "NO_STORE"]

GUARDS = HEADERS[PageKind.PORTAL]
