"""The gate's unix socket: one thread, no TCP port, each request authorised by SO_PEERCRED (``permissions``).

Requests that arrive while a batch is being committed wait in their sockets and make the next batch (group commit).
"""

from __future__ import annotations

import os
import resource
import selectors
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from captive_portal.gate import protocol as p
from captive_portal.gate.permissions import Caller, may
from device.clock import Clock
from device.logs import Log

MAX_CONNECTIONS = 2000
MAX_TRANSFER_SECONDS = 5.0
"""Seconds a connection has to finish a request it has begun, or to take its answer."""
MAX_BATCH = 64
"""Requests taken from one connection in one batch."""


class RequestHandler(Protocol):
    """Answers requests, and does what is due."""

    def handle(self, requests: Sequence[p.Request]) -> list[p.Answer]:
        """One answer for each request, in order."""
        ...

    def tick(self) -> None:
        """Do what is due."""
        ...

    def next_due_at(self) -> float:
        """Monotonic seconds of the next tick."""
        ...


@dataclass(slots=True)
class Connection:
    """One client connection: who it is, bytes received, bytes to send, and whether it ever sent a complete request."""

    socket: socket.socket
    caller: Caller
    received: bytearray = field(default_factory=bytearray)
    to_send: bytearray = field(default_factory=bytearray)
    since: float = 0.0
    has_requested: bool = False


class Server:
    """Serve until ``stop``. ``watch``: another socket, and what to call when it can be read."""

    def __init__(
        self, path: Path, callers: Mapping[int, Caller], handler: RequestHandler, clock: Clock, log: Log
    ) -> None:
        """callers: by user id; whoever is not among them is not heard."""
        self._callers = callers
        self._handler = handler
        self._clock = clock
        self._log = log
        self._connections: dict[socket.socket, Connection] = {}
        self._selector = selectors.DefaultSelector()
        self._calls: dict[object, Callable[[], None]] = {}
        self._wake, self._waker = socket.socketpair()
        self._stopped = False
        self._path = path
        self._listener = _listen(path)
        self.watch(self._listener, self._accept)
        self.watch(self._wake, self._on_wake)
        _raise_open_file_limit()

    def watch(self, readable: socket.socket, call: Callable[[], None]) -> None:
        """Call ``call`` whenever ``readable`` can be read."""
        readable.setblocking(False)
        self._calls[readable] = call
        self._selector.register(readable, selectors.EVENT_READ)

    def stop(self) -> None:
        """Make ``serve`` return; from any thread or signal handler."""
        self._stopped = True
        with suppress(OSError):  # the loop may have ended already and closed the socket
            self._waker.send(b"x")

    def serve(self) -> None:
        """Answer until stopped, then close every socket."""
        try:
            while not self._stopped:
                self._run_once()
        finally:
            self._path.unlink(missing_ok=True)
            for connection in list(self._connections.values()):
                self._drop(connection)
            for plain in (self._listener, self._wake, self._waker):
                plain.close()
            self._selector.close()

    def _run_once(self) -> None:
        wait = max(0.0, min(self._handler.next_due_at() - self._clock.monotonic(), 1.0 if self._connections else 60.0))
        batch: list[tuple[Connection, p.Request]] = []
        for key, events in self._selector.select(wait):
            if call := self._calls.get(key.fileobj):
                call()
                continue
            connection = self._connections.get(key.fileobj)  # type: ignore[call-overload]  # every other key is a connection's socket
            if connection is not None:
                batch += [(connection, request) for request in self._serve_one(connection, events)]
        if batch:
            for (connection, _), answer in zip(batch, self._handler.handle([r for _, r in batch]), strict=True):
                self._send(connection, p.pack(answer))
        self._handler.tick()
        self._drop_slow()

    def _serve_one(self, connection: Connection, events: int) -> list[p.Request]:
        if events & selectors.EVENT_WRITE:
            self._flush(connection)
        if not events & selectors.EVENT_READ:
            return []
        try:
            chunk = connection.socket.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            chunk = b""
        if not chunk:
            self._drop(connection)
            return []
        if not connection.received:
            connection.since = self._clock.monotonic()
        connection.received += chunk
        return self._requests(connection)

    def _requests(self, connection: Connection) -> list[p.Request]:
        """The complete requests received; a connection that breaks the protocol, or asks for what it may not, gets a
        Fault and is closed.
        """
        found: list[p.Request] = []
        try:
            while len(found) < MAX_BATCH and (body := take_frame(connection.received)) is not None:
                found.append(p.read_request(body))
        except (msgspec.MsgspecError, ValueError):
            return self._refuse(connection, "gate.request_invalid")
        for request in found:
            if not may(connection.caller, request):
                self._log.warning("operation_refused", caller=connection.caller.value, operation=type(request).__name__)
                return self._refuse(connection, "gate.not_permitted")
        connection.has_requested |= bool(found)
        return found

    def _refuse(self, connection: Connection, code: str) -> list[p.Request]:
        self._send(connection, p.pack(p.Fault(code=code)))
        self._drop(connection)
        return []

    def _send(self, connection: Connection, frame: bytes) -> None:
        if connection.socket not in self._connections:
            return
        if not connection.to_send:
            connection.since = self._clock.monotonic()
        connection.to_send += frame
        self._flush(connection)

    def _flush(self, connection: Connection) -> None:
        try:
            while connection.to_send:
                del connection.to_send[: connection.socket.send(connection.to_send)]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(connection)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.to_send else 0)
        if self._selector.get_key(connection.socket).events != events:
            self._selector.modify(connection.socket, events)

    def _accept(self) -> None:
        for _ in range(MAX_BATCH):
            try:
                connection, _ = self._listener.accept()
            except OSError:  # no more callers, or no free file descriptor: slow connections are closed in this turn
                return
            self._add_connection(connection)

    def _add_connection(self, connection: socket.socket) -> None:
        user = peer_user_id(connection)
        if user not in self._callers:
            self._log.warning("caller_refused", user=user)
            connection.close()
            return
        if len(self._connections) >= MAX_CONNECTIONS:
            self._drop(self._connection_to_evict())
        connection.setblocking(False)
        self._connections[connection] = Connection(connection, self._callers[user], since=self._clock.monotonic())
        self._selector.register(connection, selectors.EVENT_READ)

    def _connection_to_evict(self) -> Connection:
        """The oldest that never sent a complete request, else the oldest."""
        return next(
            (c for c in self._connections.values() if not c.has_requested), next(iter(self._connections.values()))
        )

    def _drop_slow(self) -> None:
        late = self._clock.monotonic() - MAX_TRANSFER_SECONDS
        for connection in [c for c in self._connections.values() if (c.received or c.to_send) and c.since < late]:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        if self._connections.pop(connection.socket, None) is not None:
            self._selector.unregister(connection.socket)
            connection.socket.close()

    def _on_wake(self) -> None:
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


def peer_user_id(connection: socket.socket) -> int:
    """The user id at the other end, as the kernel knows it."""
    _, user, _ = struct.unpack("=iii", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(user)


def _listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    os.chmod(path, 0o666)  # noqa: PTH101, S103 - whoever reaches the folder may connect; SO_PEERCRED decides who is served
    listener.listen(1024)
    return listener


def _raise_open_file_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192) if most > 0 else 8192, most))
