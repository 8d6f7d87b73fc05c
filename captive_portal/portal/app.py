"""The portal as a WSGI application: a table of pages, with guards around every answer.

nginx stands before it: redirects of foreign hosts, static files and limits are its (provisioning/box/render). werkzeug
reads the requests; a framework's rounds about each of them would cost more than the page (README).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from importlib import resources
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.wrappers import Request

from captive_portal.gate.client import GateClient
from captive_portal.portal.api import Api
from captive_portal.portal.asked import Answer, Asked
from captive_portal.portal.drawing import Drawing
from captive_portal.portal.guards import GUARDS, NO_STORE
from captive_portal.portal.languages import read_catalogues
from captive_portal.portal.login.method import LoginMethod
from captive_portal.portal.origins import Origins
from captive_portal.portal.pages import Pages
from captive_portal.portal.press import Press
from captive_portal.portal.routes import Routes, build_routes
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

_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


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
    origins, tokens = Origins(settings), FormTokens(key, clock)
    drawing = Drawing(settings, tokens, read_catalogues(), origins, Press(_static_version()))
    pages = Pages(settings, gate, tokens, methods, drawing)
    app = _Routed(build_routes(pages, Api(gate, origins, log)), Trouble(pages, log))
    static = {"/static": ("captive_portal.portal", "static")}
    return _Guarded(_Decodable(SharedDataMiddleware(app, static, cache_timeout=86400)))


def _static_version() -> str:
    """Changes when a static file does, so that phones may keep the files for a day."""
    folder, digest = resources.files("captive_portal.portal") / "static", hashlib.sha256()
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


class _Form(Request):
    """A request whose form has bounds."""

    max_content_length = MAX_BODY
    max_form_memory_size = MAX_BODY
    max_form_parts = 20


class _Routed:
    """WSGI: the page of a path."""

    def __init__(self, routes: Routes, trouble: Trouble) -> None:
        self._routes, self._trouble = routes, trouble

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        request = _Form(environ)
        answer = self._answer(request)
        headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
        start_response(_STATUS[answer.status], headers)
        return () if request.method == "HEAD" else (answer.body,)

    def _answer(self, request: _Form) -> Answer:
        asked = _asked(request)
        views = self._routes.get(request.path)
        view = views.get("GET" if request.method == "HEAD" else request.method) if views else None
        if view is None:
            return self._trouble.refused(asked, 405 if views else 404)
        try:
            return view(replace(asked, form=request.form) if request.method == "POST" else asked)
        except HTTPException as error:  # of a form that cannot be read
            return self._trouble.refused(asked, error.code or 400)
        except Exception as error:  # the last handler: every error is a page with a way on
            return self._trouble.tell(asked, error)


def _asked(request: _Form) -> Asked:
    return Asked(
        method=request.method,
        path=request.path,
        ip=request.environ.get("REMOTE_ADDR", ""),
        secure=request.scheme == "https",
        accept_language=request.environ.get("HTTP_ACCEPT_LANGUAGE", ""),
        agent=request.environ.get("HTTP_USER_AGENT", ""),
        args=request.args,
        cookies=request.cookies if "HTTP_COOKIE" in request.environ else {},
    )


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
