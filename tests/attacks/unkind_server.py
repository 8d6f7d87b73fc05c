"""A server that means ill: it takes a connection and holds it by nothing, by drips, or by more than anybody reads."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from enum import Enum

PAUSE = 0.02
"""Seconds between two dripped bytes: far below any timeout of a single read."""
_BLOCK = b"x" * 65536


class Unkind(Enum):
    """SILENT: nothing ever. DRIP: one byte at a time, without end; _HEAD: of a header; _BODY: of a body that is said to
    be a gigabyte; _CHUNKS: of chunks. ENDLESS: as fast as it goes. CONTINUE: "100 Continue", again and again. HUGE: a
    body of ten gigabytes. REDIRECT: to itself. LINES: a mail server's greeting that never ends.
    """

    SILENT = b""
    DRIP = b"\x00"
    DRIP_HEAD = b"HTTP/1.1 200 OK\r\nX-Drip: "
    DRIP_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    DRIP_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n"
    ENDLESS_HEAD = b"HTTP/1.1 200 OK\r\nX: "
    CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
    HUGE = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\nx"
    REDIRECT = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /again\r\n\r\n"
    LINES = b"220-"
    ENDLESS_LINES = b"220-hello\r\n"


class UnkindServer:
    """Serves one unkindness to whoever comes. tls: a context, for one that completes a handshake first."""

    def __init__(self, how: Unkind, tls: ssl.SSLContext | None = None) -> None:
        self._how, self._tls = how, tls
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            spoken = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            for piece in self._pieces():
                spoken.sendall(piece)
            self._stop.wait()

    def _pieces(self) -> Iterator[bytes]:
        how = self._how
        if how is Unkind.SILENT:
            return
        if how is Unkind.REDIRECT:
            yield how.value
            return
        if how is Unkind.HUGE or how.name.startswith("ENDLESS"):
            yield how.value
            while not self._stop.is_set():
                yield how.value * 1000 if how is Unkind.ENDLESS_LINES else _BLOCK
        if how is Unkind.CONTINUE:
            while not self._stop.is_set():
                yield how.value * 100
        yield how.value
        drop = b"1\r\nx\r\n" if how is Unkind.DRIP_CHUNKS else b"\x00" if how is Unkind.DRIP else b"x"
        while not self._stop.wait(PAUSE):
            yield drop


@contextlib.contextmanager
def unkind(how: Unkind, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of such a server."""
    server = UnkindServer(how, tls)
    try:
        yield server.port
    finally:
        server.close()
