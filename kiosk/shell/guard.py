"""What every request and answer of the kiosk passes: loopback names only, own origin only, nothing kept, nothing from
elsewhere.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from flask import Flask, Response, abort, request

from device.web_headers import HEADERS, NO_STORE, PageKind

HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
"""A page of elsewhere that rebinds its own name to this address is not answered."""

REFUSALS = frozenset({403, 421})
"""What those are told who are no page of ours."""

MAX_BYTES = 8192
"""No form of the kiosk is longer."""


def install(app: Flask) -> None:
    """Put the guard before and behind every route of ``app``."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    app.before_request(_check)
    app.after_request(_seal)


def _check() -> None:
    asked = _parts(f"//{request.host}")
    if asked is None or asked.hostname not in HOSTS:
        abort(421)
    origin = request.headers.get("Origin")
    if (
        request.method == "POST"
        and origin is not None
        and _parts(origin) != _parts(f"{request.scheme}://{request.host}")
    ):
        abort(403)


def _parts(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _seal(response: Response) -> Response:
    response.headers.update([*HEADERS[PageKind.KIOSK].items(), NO_STORE])
    if (request.endpoint or "").endswith("static"):
        response.headers["Cache-Control"] = "max-age=300"  # nothing of a visitor; spares the box a dozen reads a page
    return response
