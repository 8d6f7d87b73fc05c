"""The portal as a WSGI application: the lean redirect in front, Flask behind it, guards around every answer.

May import: captive_portal.portal, captive_portal.gate.client, captive_portal.settings, device, flask.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterable, Mapping
from importlib import resources

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from captive_portal.gate.client import GateClient
from captive_portal.gate.errors import GateFault, GateUnreachable
from captive_portal.portal.api import build_api
from captive_portal.portal.languages import read_catalogues
from captive_portal.portal.login.method import LoginMethod
from captive_portal.portal.pages import Pages, build_pages
from captive_portal.portal.redirect import Environ, Origins, ProbeRedirect, StartResponse, WsgiApp
from captive_portal.portal.tokens import FormTokens
from captive_portal.settings import WifiSettings
from device.clock import Clock
from device.logs import Log

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_MOST_BODY = 8 * 1024


def create_app(
    settings: WifiSettings,
    gate: GateClient,
    clock: Clock,
    log: Log,
    *,
    key: bytes,
    methods: Mapping[str, LoginMethod],
) -> WsgiApp:
    """The whole portal. ``key``: tokens.read_key; ``methods``: login.methods.build_methods."""
    app, origins = Flask(__name__), Origins(settings)
    app.config.update(MAX_CONTENT_LENGTH=_MOST_BODY, MAX_FORM_MEMORY_SIZE=_MOST_BODY, MAX_FORM_PARTS=20)
    app.config.update(SEND_FILE_MAX_AGE_DEFAULT=86400)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["static_version"] = _static_version()
    pages = Pages(
        settings=settings,
        gate=gate,
        tokens=FormTokens(key, clock),
        methods=methods,
        catalogues=read_catalogues(),
        origins=origins,
    )
    app.register_blueprint(build_pages(pages))
    app.register_blueprint(build_api(gate, origins, log))
    app.after_request(_guard)
    _answer_errors(app, pages, log)
    return ProbeRedirect(_Decodable(app), origins)


def _guard(response: Response) -> Response:
    response.headers.extend(_HEADERS)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _answer_errors(app: Flask, pages: Pages, log: Log) -> None:
    """Every error is a page with a way on."""

    def gate_down(error: GateUnreachable | GateFault) -> Response:
        log.warning("gate_not_answering", code=error.code)
        return pages.without_gate()

    def refused(error: HTTPException) -> Response:
        status = error.code or 400
        if status < 400:
            return Response(status=status, headers=error.get_headers())
        return pages.bare_error("error_not_found" if status == 404 else "error_form", status)

    def surprise(error: Exception) -> Response:
        places = [f"{f.filename.rpartition('/')[2]}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
        log.error("portal_failed", kind=type(error).__name__, places=places)  # no message: it may quote a form
        return pages.bare_error("error_busy", 500)

    app.register_error_handler(Exception, surprise)
    app.register_error_handler(GateUnreachable, gate_down)
    app.register_error_handler(GateFault, gate_down)
    app.register_error_handler(HTTPException, refused)


def _static_version() -> str:
    """Changes when a static file does, so that phones may keep the files for a day."""
    folder, digest = resources.files("captive_portal.portal") / "static", hashlib.sha256()
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


class _Decodable:
    """WSGI: a path that is no printable UTF-8 or a query that is not ASCII (RFC 3986) is told 400 unread."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        raw = environ.get("PATH_INFO", "").encode("latin-1", "replace")
        try:
            clean = raw.decode("utf-8").isprintable() and environ.get("QUERY_STRING", "").isascii()
        except UnicodeDecodeError:
            clean = False
        if clean:
            return self._app(environ, start_response)
        start_response("400 Bad Request", [("Content-Length", "0"), ("Cache-Control", "no-store")])
        return ()
