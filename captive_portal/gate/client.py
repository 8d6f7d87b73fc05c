"""The client port of the gate, and the client over the unix socket. In memory: ``memory.MemoryGate``."""

from __future__ import annotations

import socket
import struct
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from captive_portal.gate import protocol as p
from captive_portal.gate.errors import GateFault, GateUnreachable

A = TypeVar("A", bound=p.GateMessage)


class GateClient(Protocol):
    """All requests to the gate. Each raises GateUnreachable or GateFault."""

    def lookup(self, ip: str, port: int = 0) -> p.Phone:
        """See protocol.Lookup."""
        ...

    def open(self, request: p.Open) -> p.Opened | p.Refused:
        """See protocol.Open."""
        ...

    def extend(self, ip: str, minutes: int = 0, port: int = 0) -> p.Opened | p.Refused:
        """See protocol.Extend."""
        ...

    def end(self, ip: str = "", session: str = "", reason: p.EndReason = p.EndReason.LOGOUT, port: int = 0) -> int:
        """See protocol.End; sessions ended (0 or 1)."""
        ...

    def resume(self, ip: str, token: str, port: int = 0) -> p.Opened | p.Refused:
        """See protocol.Resume."""
        ...

    def sessions(self, spot: str = "") -> list[p.SessionDetails]:
        """See protocol.ListSessions."""
        ...

    def block(self, session: str = "", ip: str = "", mac: str = "") -> int:
        """See protocol.Block; phones blocked."""
        ...

    def unblock(self, mac: str = "", block: str = "") -> int:
        """See protocol.Unblock; phones unblocked."""
        ...

    def blocked_phones(self) -> list[p.BlockedPhoneDetails]:
        """See protocol.ListBlockedPhones."""
        ...

    def set_disaster(self, request: p.SetDisaster) -> p.Disaster:
        """See protocol.SetDisaster."""
        ...

    def disaster(self) -> p.Disaster:
        """See protocol.GetDisaster."""
        ...

    def health(self) -> p.Health:
        """See protocol.GetHealth."""
        ...

    def drain_usage(self, acknowledged: int = 0, limit: int = 500) -> list[p.UsageEvent]:
        """See protocol.DrainUsage."""
        ...

    def note_refused(self, note: p.NoteRefused) -> None:
        """See protocol.NoteRefused."""
        ...


class BaseGateClient(ABC):
    """GateClient in terms of one method ``request``; base of the socket client and of the gate in memory."""

    @abstractmethod
    def request(self, request: p.Request) -> p.Answer:
        """One request, one answer."""

    def lookup(self, ip: str, port: int = 0) -> p.Phone:
        """See GateClient."""
        return _fit(self.request(p.Lookup(ip=ip, port=port)), p.Phone)

    def open(self, request: p.Open) -> p.Opened | p.Refused:
        """See GateClient."""
        return _entry(self.request(request))

    def extend(self, ip: str, minutes: int = 0, port: int = 0) -> p.Opened | p.Refused:
        """See GateClient."""
        return _entry(self.request(p.Extend(ip=ip, minutes=minutes, port=port)))

    def end(self, ip: str = "", session: str = "", reason: p.EndReason = p.EndReason.LOGOUT, port: int = 0) -> int:
        """See GateClient."""
        return _fit(self.request(p.End(ip=ip, session=session, reason=reason, port=port)), p.Done).count

    def resume(self, ip: str, token: str, port: int = 0) -> p.Opened | p.Refused:
        """See GateClient."""
        return _entry(self.request(p.Resume(ip=ip, token=token, port=port)))

    def sessions(self, spot: str = "") -> list[p.SessionDetails]:
        """See GateClient."""
        return _fit(self.request(p.ListSessions(spot=spot)), p.Sessions).sessions

    def block(self, session: str = "", ip: str = "", mac: str = "") -> int:
        """See GateClient."""
        return _fit(self.request(p.Block(session=session, ip=ip, mac=mac)), p.Done).count

    def unblock(self, mac: str = "", block: str = "") -> int:
        """See GateClient."""
        return _fit(self.request(p.Unblock(mac=mac, block=block)), p.Done).count

    def blocked_phones(self) -> list[p.BlockedPhoneDetails]:
        """See GateClient."""
        return _fit(self.request(p.ListBlockedPhones()), p.BlockedPhoneList).phones

    def set_disaster(self, request: p.SetDisaster) -> p.Disaster:
        """See GateClient."""
        return _fit(self.request(request), p.Disaster)

    def disaster(self) -> p.Disaster:
        """See GateClient."""
        return _fit(self.request(p.GetDisaster()), p.Disaster)

    def health(self) -> p.Health:
        """See GateClient."""
        return _fit(self.request(p.GetHealth()), p.Health)

    def drain_usage(self, acknowledged: int = 0, limit: int = 500) -> list[p.UsageEvent]:
        """See GateClient."""
        return _fit(self.request(p.DrainUsage(acknowledged=acknowledged, limit=limit)), p.UsageBatch).usage

    def note_refused(self, note: p.NoteRefused) -> None:
        """See GateClient."""
        _fit(self.request(note), p.Done)


class SocketGateClient(BaseGateClient):
    """The gate over its unix socket, one persistent connection per thread. A lost connection is opened again once, so
    that requests survive a restart of the gate. timeout: seconds for each answer.
    """

    def __init__(self, path: Path, timeout: float = 5.0) -> None:
        self._path = path
        self._timeout = timeout
        self._kept = threading.local()

    def request(self, request: p.Request) -> p.Answer:
        """See BaseGateClient."""
        frame = p.pack(request)
        kept: socket.socket | None = getattr(self._kept, "connection", None)
        try:
            if kept is not None:
                try:
                    return self._exchange(kept, frame)
                except ConnectionError:
                    kept.close()
            return self._exchange(self._connect(), frame)
        except OSError as error:
            self._forget()
            raise GateUnreachable(reason=type(error).__name__) from error
        except msgspec.MsgspecError as error:
            self._forget()
            raise GateFault(fault="answer") from error

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._kept.connection = connection
        # A full backlog makes a connect with Python's own time-out fail at once; the kernel's time-out waits.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", *_split(self._timeout)))
        connection.connect(str(self._path))
        connection.settimeout(self._timeout)
        return connection

    def _forget(self) -> None:
        connection: socket.socket | None = getattr(self._kept, "connection", None)
        self._kept.connection = None
        if connection is not None:
            connection.close()

    @staticmethod
    def _exchange(connection: socket.socket, frame: bytes) -> p.Answer:
        connection.sendall(frame)
        (length,) = p.HEADER.unpack(_exactly(connection, p.HEADER.size))
        return p.read_answer(_exactly(connection, length))

    def close(self) -> None:
        """Close this thread's connection."""
        self._forget()


def _split(seconds: float) -> tuple[int, int]:
    """A struct timeval: whole seconds and microseconds."""
    return int(seconds), int(seconds % 1 * 1_000_000)


def _exactly(connection: socket.socket, length: int) -> bytes:
    """``length`` bytes. Raises ConnectionError when the other end closes first."""
    if length > p.MAX_FRAME:
        raise ConnectionError("frame too long")
    chunks = bytearray()
    while len(chunks) < length:
        chunk = connection.recv(min(65536, length - len(chunks)))
        if not chunk:
            raise ConnectionResetError("gate closed the connection")
        chunks += chunk
    return bytes(chunks)


def _fit(answer: p.Answer, kind: type[A]) -> A:
    if isinstance(answer, kind):
        return answer
    raise GateFault(fault=answer.code if isinstance(answer, p.Fault) else type(answer).__name__)


def _entry(answer: p.Answer) -> p.Opened | p.Refused:
    if isinstance(answer, p.Refused):
        return answer
    return _fit(answer, p.Opened)
