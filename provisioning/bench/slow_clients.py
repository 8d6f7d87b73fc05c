"""Clients that stall: each sends the beginning of something and no more, and comes back after it is turned away."""

from __future__ import annotations

import contextlib
import resource
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Sequence

from provisioning.bench.network_lab import GATEWAY, Phone, enter

HALF_A_HEAD = b"POST /login HTTP/1.1\r\nHost: wifi.example.jp\r\nContent-Le"
PAUSE, AWAY = 0.02, 1.0
"""Seconds between two looks at who was turned away, and until they come back: on one machine their own work counts."""


def client_hello() -> bytes:
    """The first thing that a TLS client says; then it stalls inside the handshake."""
    said = ssl.MemoryBIO()
    context = ssl.create_default_context()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said, server_hostname="wifi.example.jp").do_handshake()
    return said.read()


class SlowClients:
    """``count`` connections from ``phones`` in turn to ``port`` of the gateway, for the time of the block."""

    def __init__(self, phones: Sequence[Phone], count: int, port: int, said: bytes) -> None:
        self._phones, self._count, self._port, self._said = phones, count, port, said
        self._open: dict[int, tuple[socket.socket, Phone]] = {}
        self._away: deque[tuple[float, Phone]] = deque()
        self._polled = select.epoll()
        self._over = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> SlowClients:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for connection, _phone in self._open.values():
            connection.close()
        self._polled.close()

    def _run(self) -> None:
        for number in range(self._count):
            self._connect(self._phones[number % len(self._phones)])
        while not self._over.is_set():
            for number, event in self._polled.poll(PAUSE):
                self._met(number, event)
            while self._away and self._away[0][0] <= time.monotonic():
                self._connect(self._away.popleft()[1])
            self._begun.set()
            self._over.wait(PAUSE)

    def _met(self, number: int, event: int) -> None:
        connection, phone = self._open[number]
        if event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) and self._ended(connection):
            del self._open[number]
            connection.close()  # which ends its watch, too
            self._away.append((time.monotonic() + AWAY, phone))
        elif event & select.EPOLLOUT:
            with contextlib.suppress(OSError):
                connection.send(self._said)
            self._polled.modify(number, select.EPOLLIN)

    @staticmethod
    def _ended(connection: socket.socket) -> bool:
        try:
            return not connection.recv(65536)  # what it is told is of no interest
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _connect(self, phone: Phone) -> None:
        enter(phone.space)
        made = socket.socket()
        made.setblocking(False)
        made.connect_ex((GATEWAY, self._port))
        self._open[made.fileno()] = (made, phone)
        self._polled.register(made.fileno(), select.EPOLLIN | select.EPOLLOUT)
