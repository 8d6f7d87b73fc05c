"""Connections whose whole exchange has one deadline and one size, however its bytes come. Every client of the product
opens its connections here; tests/attacks/test_network_reads.py walks them.

A timeout of a socket is for one call alone: a byte every few seconds holds such a reader for ever. Here each call may
take what the exchange has left, so dripped bytes, headers, chunks, lines and redirects all end together. A handshake of
TLS is one call, and a name is looked up in a thread of its own, because the resolver cannot be told a time.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from device.errors import HirobaError

if TYPE_CHECKING:
    import ssl

    from _typeshed import ReadableBuffer, WriteableBuffer

T = TypeVar("T")


class ExchangeTooSlow(HirobaError, TimeoutError):
    """An exchange over the network was not over at its deadline. facts: none."""

    code = "network.too_slow"


class AnswerTooLarge(HirobaError, ConnectionError):
    """The other side sends more than this exchange may read. facts: max_bytes."""

    code = "network.answer_too_large"


class Limits:
    """What one exchange may take, from now on. seconds: for all of it; max_bytes: that are read at most before
    ``body``; min_rate: bytes a second at which what is sent, and what is read of the body, earns more time (0: none
    does). What comes before a body earns none, or lines without end would.
    """

    def __init__(
        self,
        seconds: float,
        max_bytes: int,
        *,
        min_rate: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._until = monotonic() + seconds
        self._max_bytes, self._min_rate = max_bytes, min_rate
        self._read = self._moved = 0
        self._in_body = False

    def left(self) -> float:
        """Seconds that are left, more than none. Raises ExchangeTooSlow."""
        earned = self._moved / self._min_rate if self._min_rate else 0.0
        left = self._until + earned - self._monotonic()
        if left <= 0:
            raise ExchangeTooSlow()
        return left

    def body(self, max_bytes: int) -> None:
        """What comes from now on is the body: so many bytes more."""
        self._max_bytes += max_bytes
        self._in_body = True

    def received(self, count: int) -> None:
        """``count`` bytes came. Raises AnswerTooLarge."""
        self._read += count
        self._moved += count if self._in_body else 0
        if self._read > self._max_bytes:
            raise AnswerTooLarge(max_bytes=self._max_bytes)

    def sent(self, count: int) -> None:
        """``count`` bytes went."""
        self._moved += count


class _Bounded(socket.socket):
    """limits: of the present exchange; None before the first one, while TLS makes the socket."""

    limits: Limits | None = None

    def _wait(self) -> None:
        if self.limits is not None:
            self.settimeout(self.limits.left())

    def _came(self, count: int) -> None:
        if self.limits is not None:
            self.limits.received(count)

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """See socket.socket; raises ExchangeTooSlow, AnswerTooLarge."""
        self._wait()
        found = super().recv(bufsize, flags)
        self._came(len(found))
        return found

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        """See socket.socket; raises ExchangeTooSlow, AnswerTooLarge."""
        self._wait()
        count = super().recv_into(buffer, nbytes or memoryview(buffer).nbytes, flags)
        self._came(count)
        return count

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """See socket.socket; raises ExchangeTooSlow."""
        self._wait()
        count = super().send(data, flags)
        if self.limits is not None:
            self.limits.sent(count)
        return count

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        """See socket.socket, piece by piece; raises ExchangeTooSlow."""
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[self.send(rest, flags) :]


def connect(host: str, port: int, limits: Limits) -> socket.socket:
    """A TCP connection to the first address of ``host`` that takes it, bounded by ``limits``. Raises OSError."""
    problem: OSError = ConnectionError(host)
    for family, kind, protocol, _, address in _found(host, port, limits):
        made = _Bounded(family, kind, protocol)
        try:
            made.settimeout(limits.left())
            made.connect(address)
        except OSError as error:
            made.close()
            problem = error
            continue
        made.limits = limits
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    raise problem


def connect_unix(path: Path, limits: Limits) -> socket.socket:
    """A connection to a unix socket, bounded by ``limits``. Raises OSError."""
    made = _Bounded(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(limits.left())
        made.connect(str(path))
    except BaseException:
        made.close()
        raise
    made.limits = limits
    return made


def secured(plain: socket.socket, context: ssl.SSLContext, host: str, limits: Limits) -> ssl.SSLSocket:
    """TLS over a connection of ``connect``, in the same limits. Raises OSError (ssl.SSLError)."""
    use_for(context)
    plain.settimeout(limits.left())
    made = context.wrap_socket(plain, server_hostname=host)
    renew(made, limits)
    return made


def use_for(context: ssl.SSLContext) -> None:
    """From now on ``context`` makes bounded sockets, also in a library's hands; ``renew`` then gives them limits."""
    context.sslsocket_class = _bounded_tls()


def renew(connection: Any, limits: Limits) -> None:
    """A further exchange on a kept connection of this module begins: with ``limits``."""
    connection.limits = limits


def within(limits: Limits, work: Callable[[], T]) -> T:
    """What ``work`` gives, waited for as long as ``limits`` say; then it is left behind in its thread, which ends when
    the resolver gives up. Raises ExchangeTooSlow, and what ``work`` raises.
    """
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="resolver", daemon=True)
    thread.start()
    thread.join(limits.left())
    if failed:
        raise failed[0]
    if not found:
        raise ExchangeTooSlow()
    return found[0]


def _found(host: str, port: int, limits: Limits) -> list[tuple[Any, ...]]:
    """An address needs no resolver, and so no thread."""
    try:
        ip_address(host)
    except ValueError:
        return within(limits, lambda: _addresses(host, port))
    return _addresses(host, port)


def _addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _bounded_tls() -> type[ssl.SSLSocket]:
    """ssl is 3 MiB that a process without TLS need not carry, so its class is made with the first connection."""
    global _tls_class  # noqa: PLW0603 - a class, made once
    if _tls_class is None:
        import ssl

        class BoundedTls(_Bounded, ssl.SSLSocket):  # type: ignore[misc]  # both are a socket
            """A TLS connection with limits."""

        _tls_class = BoundedTls
    return _tls_class


_tls_class: type[ssl.SSLSocket] | None = None
