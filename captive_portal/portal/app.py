"""The portal as a WSGI application: Flask, with guards around every answer.

nginx stands before it: redirects of foreign hosts, static files and limits are its (provisioning/box/render).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from captive_portal.gate.client import GateClient
from captive_portal.portal.api import build_api
from captive_portal.portal.drawing import Drawing
from captive_portal.portal.guards import GUARDS, NO_STORE
from captive_portal.portal.languages import read_catalogues
from captive_portal.portal.login.method import LoginMethod
from captive_portal.portal.origins import Origins
from captive_portal.portal.pages import Pages
from captive_portal.portal.press import Press
from captive_portal.portal.routes import asked_of_flask, build_routes, response
from captive_portal.portal.tokens import FormTokens
from captive_portal.portal.trouble import Trouble
from captive_portal.settings import WifiSettings
from device.clock import Clock
from device.logs import Log

MAX_BODY = 8 * 1024
"""Bytes of a form."""

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


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
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=MAX_BODY, MAX_FORM_PARTS=20)
    app.config.update(SEND_FILE_MAX_AGE_DEFAULT=86400)
    tokens = FormTokens(key, clock)
    drawing = Drawing(settings, tokens, read_catalogues(), origins, Press(_static_version()))
    pages = Pages(settings, gate, tokens, methods, drawing)
    trouble = Trouble(pages, log)
    app.register_blueprint(build_routes(pages))
    app.register_blueprint(build_api(gate, origins, log))
    _answer_errors(app, trouble)
    return _Guarded(_Decodable(app))


def _answer_errors(app: Flask, trouble: Trouble) -> None:
    def refused(error: HTTPException) -> Response:
        status = error.code or 400
        if status < 400:
            return Response(status=status, headers=error.get_headers())
        return response(trouble.refused(asked_of_flask(), status))

    app.register_error_handler(Exception, lambda error: response(trouble.tell(asked_of_flask(), error)))
    app.register_error_handler(HTTPException, refused)


def _static_version() -> str:
    """Changes when a static file does, so that phones may keep the files for a day."""
    folder, digest = resources.files("captive_portal.portal") / "static", hashlib.sha256()
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


class _Guarded:
    """WSGI: every answer bears the guards, and all but static files are kept nowhere."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._guards = list(GUARDS.items())

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            cached = any(name == NO_STORE[0] for name, _ in headers)
            return start_response(status, [*headers, *self._guards, *(() if cached else (NO_STORE,))], *error)

        return self._app(environ, start)


class _Decodable:
    """WSGI: a path that is no printable UTF-8 or a query that is not ASCII (RFC 3986) is told 400 unread; a body
    without a length, as no browser's form has it, 411 (RFC 9110 §15.5.12).
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        told = self._unreadable(environ)
        if not told:
            return self._app(environ, start_response)
        start_response(told, [("Content-Length", "0")])
        return ()

    @staticmethod
    def _unreadable(environ: Environ) -> str:
        if "HTTP_TRANSFER_ENCODING" in environ:
            return "411 Length Required"
        try:
            path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8")
        except UnicodeDecodeError:
            return "400 Bad Request"
        return "" if path.isprintable() and environ.get("QUERY_STRING", "").isascii() else "400 Bad Request"
