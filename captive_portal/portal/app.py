"""The portal as a WSGI application: a table of pages, with security headers on every response.

Behind nginx, which redirects foreign hosts, serves static files and sets limits (provisioning/box/render). werkzeug
parses the requests; Flask would cost more than rendering the page (README).
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
from captive_portal.portal.error_pages import ErrorPages
from captive_portal.portal.languages import read_catalogues
from captive_portal.portal.login.method import LoginMethod
from captive_portal.portal.origins import Origins
from captive_portal.portal.page_renderer import PageRenderer
from captive_portal.portal.page_request import PageRequest, PageResponse
from captive_portal.portal.pages import Pages
from captive_portal.portal.routes import Routes, build_routes
from captive_portal.portal.template_renderer import TemplateRenderer
from captive_portal.portal.tokens import FormTokens
from captive_portal.settings import WifiSettings
from device.clock import Clock
from device.logs import Log
from device.web_headers import HEADERS, NO_STORE, PageKind

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
    renderer = PageRenderer(settings, tokens, read_catalogues(), origins, TemplateRenderer(_static_version()))
    pages = Pages(settings, gate, tokens, methods, renderer)
    app = _Router(build_routes(pages, Api(gate, origins, log)), ErrorPages(pages, log))
    static = {"/static": ("captive_portal.portal", "static")}
    return _SecurityHeaders(_RequestCheck(SharedDataMiddleware(app, static, cache_timeout=86400)))


def _static_version() -> str:
    """Changes when a static file does, so that phones may keep the files for a day."""
    folder, digest = resources.files("captive_portal.portal") / "static", hashlib.sha256()
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


class _FormRequest(Request):
    """A request whose form is limited in size."""

    max_content_length = MAX_BODY
    max_form_memory_size = MAX_BODY
    max_form_parts = 20


class _Router:
    """WSGI: the page of a path."""

    def __init__(self, routes: Routes, error_pages: ErrorPages) -> None:
        self._routes, self._error_pages = routes, error_pages

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        received = _FormRequest(environ)
        response = self._respond(received)
        headers = [*response.headers, ("Content-Length", str(len(response.body)))]
        start_response(_STATUS[response.status], headers)
        return () if received.method == "HEAD" else (response.body,)

    def _respond(self, received: _FormRequest) -> PageResponse:
        request = _page_request(received)
        views = self._routes.get(request.path)
        view = views.get("GET" if request.method == "HEAD" else request.method) if views else None
        if view is None:
            return self._error_pages.for_status(request, 405 if views else 404)
        try:
            return view(replace(request, form=received.form) if request.method == "POST" else request)
        except HTTPException as error:  # of a form that cannot be read
            return self._error_pages.for_status(request, error.code or 400)
        except Exception as error:  # the last handler: every error is a page
            return self._error_pages.for_exception(request, error)


def _page_request(request: _FormRequest) -> PageRequest:
    return PageRequest(
        method=request.method,
        path=request.path,
        ip=request.environ.get("REMOTE_ADDR", ""),
        port=int(request.environ.get("REMOTE_PORT") or 0),
        secure=request.scheme == "https",
        accept_language=request.environ.get("HTTP_ACCEPT_LANGUAGE", ""),
        agent=request.environ.get("HTTP_USER_AGENT", ""),
        args=request.args,
        cookies=request.cookies if "HTTP_COOKIE" in request.environ else {},
    )


class _SecurityHeaders:
    """WSGI: security headers on every response; all but static files with Cache-Control: no-store."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._headers = list(HEADERS[PageKind.PORTAL].items())

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            cached = any(name == NO_STORE[0] for name, _ in headers)
            return start_response(status, [*headers, *self._headers, *(() if cached else (NO_STORE,))], *error)

        return self._app(environ, start)


class _RequestCheck:
    """WSGI: 400 for a path that is not printable UTF-8 or a query that is not ASCII (RFC 3986); 411 for a body
    without a length (RFC 9110 §15.5.12), which no browser's form has.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        rejection = self._rejection(environ)
        if not rejection:
            return self._app(environ, start_response)
        start_response(rejection, [("Content-Length", "0")])
        return ()

    @staticmethod
    def _rejection(environ: Environ) -> str:
        if "HTTP_TRANSFER_ENCODING" in environ:
            return "411 Length Required"
        try:
            path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8")
        except UnicodeDecodeError:
            return "400 Bad Request"
        return "" if path.isprintable() and environ.get("QUERY_STRING", "").isascii() else "400 Bad Request"
