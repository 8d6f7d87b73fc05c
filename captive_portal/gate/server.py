"""The gate's unix socket: one thread, no TCP port, callers told by the kernel (SO_PEERCRED).

Requests that arrive while a batch is being settled wait in their sockets and make the next batch: that is the group
commit.
"""

from __future__ import annotations

import os
import resource
import selectors
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from captive_portal.gate import protocol as p
from device.clock import Clock
from device.logs import Log

MAX_CLIENTS = 2000
PATIENCE = 5.0
"""Seconds a client has to finish a request it has begun, or to take its answer."""
MAX_AT_ONCE = 64
"""Requests taken from one client in one batch."""


class Worker(Protocol):
    """Who answers, and what it does when time passes."""

    def answer(self, requests: Sequence[p.Request]) -> list[p.Answer]:
        """One answer for each request, in order."""
        ...

    def tick(self) -> None:
        """Do what is due."""
        ...

    def next_work(self) -> float:
        """Monotonic seconds of the next tick."""
        ...


@dataclass(slots=True)
class Client:
    """One connection: what it has sent, what it has still to take, and whether it ever asked anything whole."""

    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    since: float = 0.0
    proven: bool = False


class Server:
    """Serve until ``stop``. ``watch``: another socket, and what to call when it can be read."""

    def __init__(self, path: Path, users: set[int], worker: Worker, clock: Clock, log: Log) -> None:
        self._users = users
        self._worker = worker
        self._clock = clock
        self._log = log
        self._clients: dict[socket.socket, Client] = {}
        self._selector = selectors.DefaultSelector()
        self._calls: dict[object, Callable[[], None]] = {}
        self._wake, self._waker = socket.socketpair()
        self._stopped = False
        self._path = path
        self._listener = _listen(path)
        self.watch(self._listener, self._accept)
        self.watch(self._wake, self._woken)
        _allow_many_files()

    def watch(self, readable: socket.socket, call: Callable[[], None]) -> None:
        """Call ``call`` whenever ``readable`` can be read."""
        readable.setblocking(False)
        self._calls[readable] = call
        self._selector.register(readable, selectors.EVENT_READ)

    def stop(self) -> None:
        """From any thread or signal handler: leave ``serve``."""
        self._stopped = True
        with suppress(OSError):  # the loop may have seen it already, and closed what wakes it
            self._waker.send(b"x")

    def serve(self) -> None:
        """Answer until stopped, then close every socket."""
        try:
            while not self._stopped:
                self._turn()
        finally:
            self._path.unlink(missing_ok=True)
            for client in list(self._clients.values()):
                self._drop(client)
            for plain in (self._listener, self._wake, self._waker):
                plain.close()
            self._selector.close()

    def _turn(self) -> None:
        wait = max(0.0, min(self._worker.next_work() - self._clock.monotonic(), 1.0 if self._clients else 60.0))
        batch: list[tuple[Client, p.Request]] = []
        for key, events in self._selector.select(wait):
            if call := self._calls.get(key.fileobj):
                call()
                continue
            client = self._clients.get(key.fileobj)  # type: ignore[call-overload]  # every other key is a client's socket
            if client is not None:
                batch += [(client, request) for request in self._serve_one(client, events)]
        if batch:
            for (client, _), answer in zip(batch, self._worker.answer([r for _, r in batch]), strict=True):
                self._send(client, p.pack(answer))
        self._worker.tick()
        self._drop_slow()

    def _serve_one(self, client: Client, events: int) -> list[p.Request]:
        if events & selectors.EVENT_WRITE:
            self._flush(client)
        if not events & selectors.EVENT_READ:
            return []
        try:
            chunk = client.socket.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            chunk = b""
        if not chunk:
            self._drop(client)
            return []
        if not client.received:
            client.since = self._clock.monotonic()
        client.received += chunk
        return self._requests(client)

    def _requests(self, client: Client) -> list[p.Request]:
        """The whole requests a client has sent; a client that breaks the protocol is told so and dropped."""
        found: list[p.Request] = []
        try:
            while len(found) < MAX_AT_ONCE and (body := take_frame(client.received)) is not None:
                found.append(p.read_request(body))
        except (msgspec.MsgspecError, ValueError):
            self._send(client, p.pack(p.Fault(code="gate.request_invalid")))
            self._drop(client)
            return []
        client.proven |= bool(found)
        return found

    def _send(self, client: Client, frame: bytes) -> None:
        if client.socket not in self._clients:
            return
        if not client.unsent:
            client.since = self._clock.monotonic()
        client.unsent += frame
        self._flush(client)

    def _flush(self, client: Client) -> None:
        try:
            while client.unsent:
                del client.unsent[: client.socket.send(client.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent else 0)
        if self._selector.get_key(client.socket).events != events:
            self._selector.modify(client.socket, events)

    def _accept(self) -> None:
        for _ in range(MAX_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except OSError:  # no more callers, or no file is free: the slow ones are dropped this turn
                return
            self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        if peer(connection) not in self._users:
            self._log.warning("caller_refused")
            connection.close()
            return
        if len(self._clients) >= MAX_CLIENTS:
            self._drop(self._least_worthy())
        connection.setblocking(False)
        self._clients[connection] = Client(connection, since=self._clock.monotonic())
        self._selector.register(connection, selectors.EVENT_READ)

    def _least_worthy(self) -> Client:
        """The oldest that never asked anything whole, else the oldest."""
        return next((c for c in self._clients.values() if not c.proven), next(iter(self._clients.values())))

    def _drop_slow(self) -> None:
        late = self._clock.monotonic() - PATIENCE
        for client in [c for c in self._clients.values() if (c.received or c.unsent) and c.since < late]:
            self._drop(client)

    def _drop(self, client: Client) -> None:
        if self._clients.pop(client.socket, None) is not None:
            self._selector.unregister(client.socket)
            client.socket.close()

    def _woken(self) -> None:
        self._wake.recv(64)


def take_frame(received: bytearray) -> bytes | None:
    """Take one whole frame's body off the front, or None. Raises ValueError when it is too long."""
    if len(received) < p.HEADER.size:
        return None
    (length,) = p.HEADER.unpack_from(received)
    if length > p.MAX_REQUEST:
        raise ValueError
    end = p.HEADER.size + length
    if len(received) < end:
        return None
    body = bytes(received[p.HEADER.size : end])
    del received[:end]
    return body


def peer(connection: socket.socket) -> int:
    """The user id at the other end, as the kernel knows it."""
    _, user, _ = struct.unpack("=iii", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(user)


def _listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    os.chmod(path, 0o666)  # noqa: PTH101, S103 - whoever may reach the folder may knock; SO_PEERCRED says who may enter
    listener.listen(1024)
    return listener


def _allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192) if most > 0 else 8192, most))
