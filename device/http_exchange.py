"""One HTTP request and its whole answer, within one deadline and one size; plain or over TLS, on a fresh connection or
on one that is kept. http.client does the protocol (network_reads the connection).
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing
from email.message import Message
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from device.network_reads import AnswerTooLarge, Limits, connect, connect_unix, renew, secured

MAX_HEAD_BYTES = 64 * 1024
"""Status line and headers, on top of what an answer may have."""
MAX_REDIRECTS = 3
NO_HTTP = (OSError, http.client.HTTPException)
"""What an exchange raises when the other side is not there, too slow, too large, or does not speak HTTP."""
_CHUNK = 1 << 18


class Where(NamedTuple):
    """A server. tls: the context of a server that speaks TLS. socket: a unix socket, in place of host and port."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    socket: Path | None = None


class Answer(NamedTuple):
    """Status, headers and body of an answer."""

    status: int
    headers: Message
    body: bytes

    def header(self, name: str) -> str:
        """Its value, "" when it is not there; whatever the case of its name."""
        return str(self.headers.get(name, ""))


class BoundedConnection(http.client.HTTPConnection):
    """A connection for exchanges that each have their Limits."""

    def __init__(self, where: Where, limits: Limits) -> None:
        super().__init__(where.host, where.port)
        self._where, self._limits = where, limits
        if where.tls is not None:
            self.default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        """See http.client."""
        where = self._where
        limits = self._limits
        plain = connect_unix(where.socket, limits) if where.socket else connect(where.host, where.port, limits)
        try:
            self.sock = secured(plain, where.tls, where.host, self._limits) if where.tls else plain
        except BaseException:
            plain.close()
            raise

    def begin(self, limits: Limits) -> None:
        """The next exchange on this connection is within ``limits``."""
        self._limits = limits
        if self.sock is not None:
            renew(self.sock, limits)


def exchange(
    where: Where,
    method: str,
    path: str,
    *,
    seconds: float,
    max_bytes: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    min_rate: int = 0,
) -> Answer:
    """Ask, and read the whole answer, of ``max_bytes`` at most. Raises NO_HTTP (ExchangeTooSlow and AnswerTooLarge are
    OSError).
    """
    limits = Limits(seconds, MAX_HEAD_BYTES, min_rate=min_rate)
    with closing(BoundedConnection(where, limits)) as connection:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, whole_body(response, limits, max_bytes))


def whole_body(response: http.client.HTTPResponse, limits: Limits, max_bytes: int) -> bytes:
    """The body of an answer within ``limits``, to its end. Raises AnswerTooLarge for a longer one,
    http.client.IncompleteRead for a shorter one than it says, OSError.
    """
    if (response.length or 0) > max_bytes:
        raise AnswerTooLarge(max_bytes=max_bytes)
    limits.body(max_bytes)
    found = response.read()
    if len(found) > max_bytes:
        raise AnswerTooLarge(max_bytes=max_bytes)
    return found


def chunks(
    url: str, context: ssl.SSLContext | None, *, seconds: float, max_bytes: int, min_rate: int
) -> Iterator[bytes]:
    """The body of a file at ``url`` in pieces; redirects are followed, from https to https alone, all within one
    deadline. Raises HttpStatus for another status than 200, NO_HTTP.
    """
    limits = Limits(seconds, MAX_HEAD_BYTES * (MAX_REDIRECTS + 1), min_rate=min_rate)
    for _ in range(MAX_REDIRECTS + 1):
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        where = Where(parts.hostname or "", parts.port or (443 if secure else 80), context if secure else None)
        with closing(BoundedConnection(where, limits)) as connection:
            connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
            response = connection.getresponse()
            if response.status == http.client.OK:
                limits.body(max_bytes)
                while piece := response.read(_CHUNK):
                    yield piece
                if response.length:
                    raise http.client.IncompleteRead(b"", response.length)
                return
            onward = urljoin(url, response.headers.get("Location") or "")
            if response.status not in {301, 302, 303, 307, 308} or not _may_follow(secure, onward):
                raise HttpStatus(response.status)
            url = onward
    raise HttpStatus(http.client.LOOP_DETECTED)


class HttpStatus(http.client.HTTPException):
    """A server answered with another status than 200. status: its number."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _may_follow(secure: bool, onward: str) -> bool:
    return urlsplit(onward).scheme in ({"https"} if secure else {"http", "https"})
