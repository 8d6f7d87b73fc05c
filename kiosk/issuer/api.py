"""The issuer over HTTP: decodes, calls, encodes. No rules.

Bad input is 400 {"code": "request.malformed"}, an unknown path or request 404, a fault 500 or 503: never a traceback
and never a value of the message.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from device.errors import HirobaError, StoreError
from device.logs import Log, places
from kiosk.issuer import protocol as p
from kiosk.issuer.errors import RequestUnknown
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.wire import WireStruct, learn_types

MAX_BODY_BYTES = 64 * 1024
"""A credential is about 1.6 kB, a signature 256 bytes."""
_CODES = {404: "path.unknown", 405: "method.not_allowed", 413: "request.too_large"}

M = TypeVar("M", bound=WireStruct)


def create_app(issuer: IssuerPort, log: Log) -> Flask:
    """The WSGI app around ``issuer``."""
    learn_types()
    app = Flask("kiosk.issuer", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    for path, view in _views(issuer).items():
        app.add_url_rule(path, endpoint=path, view_func=view, methods=["POST"])
    app.add_url_rule("/v2/health", "health", lambda: _answer(issuer.health()), methods=["GET"])
    app.register_error_handler(Exception, lambda error: _fault(error, log))
    return app


def _views(issuer: IssuerPort) -> dict[str, Callable[..., Response]]:
    def challenge() -> Response:
        return _answer(issuer.challenge(_body(p.ChallengeRequest).kiosk))

    def authenticate() -> Response:
        return _answer(issuer.authenticate(_body(p.Authenticate)))

    def order() -> Response:
        return _answer(issuer.order(_body(p.Order)))

    def document(name: str) -> Response:
        return _answer(issuer.document(name, _body(p.DocumentRequest)))

    def outcome(name: str) -> Response:
        return _answer(issuer.outcome(name, _body(p.Outcome)))

    return {
        "/v2/challenge": challenge,
        "/v2/authenticate": authenticate,
        "/v2/requests": order,
        "/v2/requests/<name>/document": document,
        "/v2/requests/<name>/outcome": outcome,
    }


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
    if isinstance(error, HTTPException):
        status = error.code or 500
        return status, _CODES.get(status, "request.malformed" if status < 500 else "issuer.fault")
    if isinstance(error, StoreError | sqlite3.Error):
        return 503, StoreError.code
    return 500, error.code if isinstance(error, HirobaError) else "issuer.fault"
