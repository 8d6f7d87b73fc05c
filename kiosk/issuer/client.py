"""The issuer over HTTP, seen from the kiosk. Fills IssuerPort; safe to use from several threads.

Connections are kept and used again.
"""

from __future__ import annotations

import http.client
import queue
import ssl
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from device.http_exchange import MAX_HEAD_BYTES, BoundedConnection, Where, whole_body
from device.network_reads import Limits
from kiosk.issuer import protocol as p
from kiosk.issuer.errors import IssuerBroken, IssuerUnreachable, RequestUnknown
from kiosk.issuer.wire import WireStruct, learn_types

MAX_ANSWER_BYTES = 32 * 1024 * 1024
_MIN_RATE = 16 * 1024
"""Bytes a second that earn further time: a long document over a thin line is no fault."""
_KEPT_CONNECTIONS = 8
_STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)

M = TypeVar("M", bound=WireStruct)


class HttpIssuerClient:
    """See IssuerPort. url: scheme, host, port, no trailing slash. timeout_seconds: for a call."""

    def __init__(self, url: str, timeout_seconds: float = 10.0) -> None:
        learn_types()
        parts = urlsplit(url)
        self._host, self._port, self._prefix = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeout = timeout_seconds
        self._idle: queue.LifoQueue[BoundedConnection] = queue.LifoQueue(_KEPT_CONNECTIONS)

    def challenge(self, kiosk: str) -> p.Challenge:
        """See IssuerPort."""
        return self._post("challenge", "/v2/challenge", p.ChallengeRequest(kiosk=kiosk), p.Challenge)

    def authenticate(self, message: p.Authenticate) -> p.Resident | p.Refusal:
        """See IssuerPort."""
        return self._post_refusable("authenticate", "/v2/authenticate", message, p.Resident)

    def order(self, order: p.Order) -> p.Quote | p.Refusal:
        """See IssuerPort."""
        return self._post_refusable("order", "/v2/requests", order, p.Quote)

    def document(self, request: str, message: p.DocumentRequest) -> p.Document | p.Refusal:
        """See IssuerPort."""
        return self._post_refusable("document", f"/v2/requests/{request}/document", message, p.Document)

    def outcome(self, request: str, message: p.Outcome) -> p.Settled:
        """See IssuerPort."""
        return self._post("outcome", f"/v2/requests/{request}/outcome", message, p.Settled)

    def health(self) -> p.Health:
        """See IssuerPort."""
        return _decoded("health", self._call("health", "GET", "/v2/health", b""), p.Health)

    def close(self) -> None:
        """Close the idle connections."""
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _post(self, operation: str, path: str, message: WireStruct, answer: type[M]) -> M:
        return _decoded(operation, self._call(operation, "POST", path, msgspec.json.encode(message)), answer)

    def _post_refusable(self, operation: str, path: str, message: WireStruct, answer: type[M]) -> M | p.Refusal:
        body = self._call(operation, "POST", path, msgspec.json.encode(message))
        fields = _decoded(operation, body, dict[str, msgspec.Raw])
        return _decoded(operation, body, p.Refusal) if "refused" in fields else _decoded(operation, body, answer)

    def _call(self, operation: str, method: str, path: str, body: bytes) -> bytes:
        """The body of a 200. Raises IssuerUnreachable, IssuerBroken, RequestUnknown."""
        try:
            status, answer = self._exchange(method, self._prefix + path, body)
        except OSError as error:
            raise IssuerUnreachable(operation=operation) from error
        except http.client.HTTPException as error:
            raise IssuerBroken(operation=operation, status=0, code="http") from error
        if status == http.client.OK:
            return answer
        code = _fault_code(answer)
        if code == RequestUnknown.code:
            raise RequestUnknown()
        raise IssuerBroken(operation=operation, status=status, code=code)

    def _exchange(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """One request and its answer. An idle connection that the server has closed is replaced once."""
        kept = self._take_idle()
        if kept is not None:
            try:
                return self._send(kept, method, path, body)
            except _STALE:
                pass
        return self._send(self._connect(), method, path, body)

    def _send(self, connection: BoundedConnection, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        try:
            limits = self._limits()
            connection.begin(limits)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = whole_body(response, limits, MAX_ANSWER_BYTES)
            whole = response.isclosed()
        except BaseException:
            connection.close()
            raise
        if response.will_close or not whole:
            connection.close()
        else:
            self._put_idle(connection)
        return response.status, answer

    def _connect(self) -> BoundedConnection:
        port = self._port or (http.client.HTTPS_PORT if self._tls else http.client.HTTP_PORT)
        return BoundedConnection(Where(self._host, port, self._tls), self._limits())

    def _limits(self) -> Limits:
        return Limits(self._timeout, MAX_HEAD_BYTES, min_rate=_MIN_RATE)

    def _take_idle(self) -> BoundedConnection | None:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return None

    def _put_idle(self, connection: BoundedConnection) -> None:
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()


T = TypeVar("T")


def _decoded(operation: str, body: bytes, schema: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=schema)
    except msgspec.DecodeError as error:
        raise IssuerBroken(operation=operation, status=http.client.OK, code="malformed") from error


def _fault_code(body: bytes) -> str:
    """The code of a fault, or "" for another body."""
    try:
        return msgspec.json.decode(body, type=dict[str, str]).get("code", "")
    except msgspec.DecodeError:
        return ""
