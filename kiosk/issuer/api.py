"""The issuer over HTTP: finds out who asks, decodes, calls, encodes. No rules.

Bad input is 400 {"code": "request.malformed"}, an unknown path or request 404, a fault 500 or 503: never a traceback
and never a value of the message.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import msgspec
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from device.errors import HirobaError, StoreError
from device.logs import Log, places
from kiosk.issuer import protocol as p
from kiosk.issuer.eligibility import is_request_id
from kiosk.issuer.errors import RequestUnknown, TooMany
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.wire import WireStruct, learn_types

MAX_BODY_BYTES = 16 * 1024
"""A credential is about 1.6 kB, a signature 256 bytes."""
_CODES = {404: p.PATH_UNKNOWN, 405: "method.not_allowed", 413: "request.too_large"}
RETIRED = ("v1", "v2")
"""Protocols of earlier releases, in which the message named the kiosk: they are told so."""

M = TypeVar("M", bound=WireStruct)


@dataclass(frozen=True)
class Refused:
    """Who asks is nobody we serve. reason: a code for the log (box_unknown, box_revoked, key_differs, unchecked)."""

    reason: str


WhoAsks = Callable[[Mapping[str, Any]], str | Refused]
"""WSGI environment -> the kiosk's name, by what its connection has proved."""


def create_app(issuer_of: Callable[[str], IssuerPort], who_asks: WhoAsks, log: Log) -> Flask:
    """The WSGI app around the issuer as a kiosk has it. Every request, of whatever path, is asked who it is of."""
    learn_types()
    app = Flask("kiosk.issuer", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    @app.before_request
    def admit() -> Response | None:
        asking = who_asks(request.environ)
        if isinstance(asking, Refused):
            log.warning("kiosk_refused", reason=asking.reason)
            return _json(msgspec.json.encode({"code": p.KIOSK_REFUSED}), 403)
        g.issuer = issuer_of(asking)
        return None

    for path, view in _views().items():
        app.add_url_rule(path, endpoint=path, view_func=view, methods=["POST"])
    app.add_url_rule(f"/{p.VERSION}/health", "health", lambda: _answer(_issuer().health()), methods=["GET"])
    for version in RETIRED:
        app.add_url_rule(f"/{version}/<path:_path>", version, _retired, methods=["GET", "POST"])
    app.register_error_handler(Exception, lambda error: _fault(error, log))
    return app


def _issuer() -> IssuerPort:
    """The issuer of whoever asks."""
    return cast("IssuerPort", g.issuer)


def _retired(_path: str) -> Response:
    return _json(msgspec.json.encode({"code": p.PROTOCOL_RETIRED}), 410)


def _views() -> dict[str, Callable[..., Response]]:
    def challenge() -> Response:
        return _answer(_issuer().challenge())

    def authenticate() -> Response:
        return _answer(_issuer().authenticate(_body(p.Authenticate)))

    def order() -> Response:
        return _answer(_issuer().order(_body(p.Order)))

    def document(name: str) -> Response:
        return _answer(_issuer().document(_request_id(name), _body(p.DocumentRequest)))

    def outcome(name: str) -> Response:
        return _answer(_issuer().outcome(_request_id(name), _body(p.Outcome)))

    return {
        f"/{p.VERSION}/challenge": challenge,
        f"/{p.VERSION}/authenticate": authenticate,
        f"/{p.VERSION}/requests": order,
        f"/{p.VERSION}/requests/<name>/document": document,
        f"/{p.VERSION}/requests/<name>/outcome": outcome,
    }


def _request_id(name: str) -> str:
    """Raises RequestUnknown for what can be none."""
    if not is_request_id(name):
        raise RequestUnknown()
    return name


def _body(schema: type[M]) -> M:
    """The message in the request's body. Raises msgspec.DecodeError."""
    return msgspec.json.decode(request.get_data(cache=False), type=schema)


def _answer(message: WireStruct, status: int = 200) -> Response:
    return _json(msgspec.json.encode(message), status)


def _json(body: bytes, status: int) -> Response:
    return Response(body, status, content_type="application/json", headers={"Cache-Control": "no-store"})


def _fault(error: Exception, log: Log) -> Response:
    """A code for the caller; for the log what and where, but not the message, which may quote personal data."""
    status, code = _code(error)
    if status >= 500:
        log.error("issuer_fault", code=code, kind=type(error).__name__, places=places(error))
    return _json(msgspec.json.encode({"code": code}), status)


def _code(error: Exception) -> tuple[int, str]:
    if isinstance(error, msgspec.DecodeError | UnicodeDecodeError):
        return 400, "request.malformed"
    if isinstance(error, RequestUnknown):
        return 404, error.code
    if isinstance(error, TooMany):
        return 429, error.code
    if isinstance(error, HTTPException):
        status = error.code or 500
        return status, _CODES.get(status, "request.malformed" if status < 500 else "issuer.fault")
    if isinstance(error, StoreError | sqlite3.Error):
        return 503, StoreError.code
    return 500, error.code if isinstance(error, HirobaError) else "issuer.fault"
