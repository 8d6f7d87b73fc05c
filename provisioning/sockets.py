"""Sockets whose reads end: "blocking" means a bounded wait, and a wait in vain is a connection that is gone."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable
from typing import Any

THREAD_SECONDS = 5.0
"""How long a thread waits for one more piece from or to a phone."""


class _Patient:
    """For a socket class: "blocking" means a bounded wait; one that ends in vain is a connection that is gone."""

    def setblocking(self, flag: bool) -> None:
        self.settimeout(THREAD_SECONDS if flag else 0.0)  # type: ignore[attr-defined]  # of the socket beside it

    def recv(self, *arguments: Any) -> bytes:
        try:
            return super().recv(*arguments)  # type: ignore[misc,no-any-return]  # of the socket beside it
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "nothing more came") from error


class PatientSocket(_Patient, socket.socket):
    """Plain."""


class PatientTlsSocket(_Patient, ssl.SSLSocket):
    """TLS."""


def patient_tls() -> Callable[[Any, Callable[[], ssl.SSLContext]], ssl.SSLContext]:
    """gunicorn's ``ssl_context`` hook: one context for all connections instead of one read from disk for each."""
    kept: list[ssl.SSLContext] = []

    def context(_config: Any, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        if not kept:
            kept.append(make())
            kept[0].sslsocket_class = PatientTlsSocket
        return kept[0]

    return context
