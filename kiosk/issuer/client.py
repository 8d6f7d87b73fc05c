"""The issuer over HTTP, seen from the kiosk. Fills IssuerPort; safe to use from several threads.

Connections are kept and used again, until the credential that they were made with is replaced.
"""

from __future__ import annotations

import http.client
import queue
from typing import NamedTuple, TypeVar

import msgspec

from device.http_exchange import MAX_HEAD_BYTES, BoundedConnection, whole_body
from device.network_reads import Limits
from kiosk.issuer import protocol as p
from kiosk.issuer.connection import CredentialFiles, Stamp, connector_of
from kiosk.issuer.errors import IssuerBroken, IssuerBusy, IssuerUnreachable, NoCredential, RequestUnknown
from kiosk.issuer.wire import WireStruct, learn_types

MAX_ANSWER_BYTES = 32 * 1024 * 1024
_MIN_RATE = 16 * 1024
"""Bytes a second that earn further time: a long document over a thin line is no fault."""
_KEPT_CONNECTIONS = 8
_STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)

M = TypeVar("M", bound=WireStruct)


class _Kept(NamedTuple):
    """A connection, and the connector's stamp when it was made."""

    connection: BoundedConnection
    stamp: Stamp


class HttpIssuerClient:
    """See IssuerPort. url, credential: see connector_of. timeout_seconds: for a call."""

    def __init__(self, url: str, timeout_seconds: float = 10.0, credential: CredentialFiles | None = None) -> None:
        learn_types()
        self._connector = connector_of(url, credential)
        self._timeout = timeout_seconds
        self._idle: queue.LifoQueue[_Kept] = queue.LifoQueue(_KEPT_CONNECTIONS)

    def challenge(self) -> p.Challenge:
        """See IssuerPort."""
        return _decoded("challenge", self._call("challenge", "POST", "/challenge", b""), p.Challenge)

    def authenticate(self, message: p.Authenticate) -> p.Resident | p.Refusal:
        """See IssuerPort."""
        return self._post_refusable("authenticate", "/authenticate", message, p.Resident)

    def order(self, order: p.Order) -> p.Quote | p.Refusal:
        """See IssuerPort."""
        return self._post_refusable("order", "/requests", order, p.Quote)

    def document(self, request: str, message: p.DocumentRequest) -> p.Document | p.Refusal:
        """See IssuerPort."""
        return self._post_refusable("document", f"/requests/{request}/document", message, p.Document)

    def outcome(self, request: str, message: p.Outcome) -> p.Settled | p.Refusal:
        """See IssuerPort."""
        return self._post_refusable("outcome", f"/requests/{request}/outcome", message, p.Settled)

    def health(self) -> p.Health:
        """See IssuerPort."""
        return _decoded("health", self._call("health", "GET", "/health", b""), p.Health)

    def close(self) -> None:
        """Close the idle connections."""
        while not self._idle.empty():
            self._idle.get_nowait().connection.close()

    def _post_refusable(self, operation: str, path: str, message: WireStruct, answer: type[M]) -> M | p.Refusal:
        body = self._call(operation, "POST", path, msgspec.json.encode(message))
        fields = _decoded(operation, body, dict[str, msgspec.Raw])
        return _decoded(operation, body, p.Refusal) if "refused" in fields else _decoded(operation, body, answer)

    def _call(self, operation: str, method: str, path: str, body: bytes) -> bytes:
        """The body of a 200. Raises IssuerUnreachable, IssuerBusy, IssuerBroken, RequestUnknown."""
        try:
            status, answer = self._exchange(method, f"/{p.VERSION}{path}", body)
        except (OSError, NoCredential) as error:
            raise IssuerUnreachable(operation=operation) from error
        except http.client.HTTPException as error:
            raise IssuerBroken(operation=operation, status=0, code="http") from error
        if status == http.client.OK:
            return answer
        code = _fault_code(answer)
        if code == RequestUnknown.code:
            raise RequestUnknown()
        if status == http.client.TOO_MANY_REQUESTS:
            raise IssuerBusy(operation=operation)
        raise IssuerBroken(operation=operation, status=status, code=code)

    def _exchange(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """One request and its answer. An idle connection that the server has closed is replaced once."""
        stamp = self._connector.stamp()
        kept = self._take_idle(stamp)
        if kept is not None:
            try:
                return self._send(kept, method, path, body)
            except _STALE:
                pass
        return self._send(_Kept(self._connector.connect(self._limits()), stamp), method, path, body)

    def _send(self, kept: _Kept, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        connection = kept.connection
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
            self._put_idle(kept)
        return response.status, answer

    def _limits(self) -> Limits:
        return Limits(self._timeout, MAX_HEAD_BYTES, min_rate=_MIN_RATE)

    def _take_idle(self, stamp: Stamp) -> _Kept | None:
        """An idle connection of the present credential; those of a former one are closed."""
        while True:
            try:
                kept = self._idle.get_nowait()
            except queue.Empty:
                return None
            if kept.stamp == stamp:
                return kept
            kept.connection.close()

    def _put_idle(self, kept: _Kept) -> None:
        try:
            self._idle.put_nowait(kept)
        except queue.Full:
            kept.connection.close()


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
