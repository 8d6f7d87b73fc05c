"""A gunicorn worker that gives a thread only to a request that has wholly arrived.

The stock gthread worker hands every new connection to a thread that waits for its bytes, so sixteen phones that walk
away in the middle of a request stop the portal, and it lingers on a closing connection in its only event loop. Here
connections wait in the poller, which costs no thread, with a deadline and a cap per phone. A thread that has answered
closes the connection itself; only one that goes on returns to the loop.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import logging
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from provisioning.arrival import missing, missing_tls
from provisioning.hands import Hands
from provisioning.sockets import PatientSocket
from provisioning.turns import Turns
from provisioning.unreadable import tell

ARRIVAL_SECONDS = 10.0
"""How long a request may take to arrive, and a connection may say nothing."""
PER_CLIENT, IN_ALL = 64, 800
"""Connections that may wait, of one address and together; the oldest makes room. IN_ALL stays under 1,024 files."""
LOOK_AHEAD = 16 * 1024
"""Bytes of a request that are waited for; the rest of a longer one is read, or refused, by the thread."""
TLS_SHARE, TLS_QUEUE = 8, 16
"""Of a portal's threads one address gets an eighth at once for TLS; so many more of its connections wait their turn."""
ALIVE_SECONDS = 1.0
"""How often the master hears that the loop turns; it gives up after thirty."""

AtOnce = Callable[[bytes, str], bytes | None]
Quick = Callable[[bytes, str, bool], tuple[bytes, bool] | None]
"""(request, client, tls) -> (answer, whether the connection goes on), or None."""

CLOSE = ("Connection", "close")
"""The header by which an app asks for the connection's end."""


def closing_when_told(app: Callable[..., Any]) -> Callable[..., Any]:
    """WSGI around ``app``: an answer with ``Connection: close`` is the connection's last. gunicorn itself drops that
    header and keeps the connection, on which a phone would then go on to meet the portal after it has logged in.
    """

    def told(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            if CLOSE in headers:
                start_response.__self__.force_close()  # type: ignore[attr-defined]  # gunicorn's Response.start_response
            return start_response(status, headers, *error)

        return app(environ, start)

    return told


class PatientConnection(TConn):  # type: ignore[misc]  # gunicorn ships no types
    """One connection. ``wanted``: bytes that have to be there before it is looked at again; ``quick``: who may answer a
    request from its bytes; ``goes_on``: it did, and the connection is kept; ``tls``: as cfg.is_ssl, which is dear;
    ``in_turn``: it counts among those of its address that are in a thread.
    """

    wanted = 1
    tls = waits = in_turn = False
    quick: Quick | None = None
    goes_on = False
    parser: Any
    sock: Any

    def be_patient(self) -> None:
        """Before the thread: what it reads is there, and what is not may be waited for."""
        self.data_ready = True
        if not self.initialized:
            family = socket.AF_INET6 if len(self.client) > 2 else socket.AF_INET
            self.sock = PatientSocket(family, socket.SOCK_STREAM, 0, self.sock.detach())

    def init(self) -> None:
        """In the thread: TLS, and a parser for what comes."""
        begun = self.initialized
        super().init()
        if self.quick is not None and not begun and not self.is_http2:
            self.parser = _QuickFirst(self, self.parser, self.quick)

    def close(self, graceful: bool = False) -> None:
        """Say the end, take what is already there so that no reset cuts the answer, and close without waiting."""
        if graceful:
            with contextlib.suppress(OSError, ValueError):
                self.sock.shutdown(socket.SHUT_WR)
                self.sock.settimeout(0.0)
                while len(self.sock.recv(65536)) == 65536:
                    pass
        with contextlib.suppress(OSError):
            self.sock.close()


class _QuickFirst:
    """gunicorn's parser of a connection, behind a look at the bytes: what ``quick`` answers is never parsed."""

    def __init__(self, conn: PatientConnection, parser: Any, quick: Quick) -> None:
        self._conn = conn
        self._parser = parser
        self._quick = quick
        self.unreader = parser.unreader
        self.finish_body = parser.finish_body

    def __next__(self) -> Any:
        """The next request, or None when it has been answered."""
        raw = self.unreader.read()
        answer = self._quick(raw, self._conn.client[0], self._conn.tls) if raw else None
        if answer is None:
            self.unreader.unread(raw)
            return next(self._parser)
        self._conn.sock.sendall(answer[0])
        self._conn.goes_on = answer[1]
        return None


class _Unset:
    """A gunicorn setting without a value."""

    def get(self) -> None:
        """As Setting.get."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """See the module. plain_port: the one listener without TLS where the others have it, so that a portal's two doors
    share their workers; None: all are alike.
    """

    plain_port: int | None = None
    wsgi: Any
    _at_once: AtOnce
    _quick: Quick | None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._waiting: Counter[str] = Counter()
        self._closed: deque[None] = deque()
        self._turns: Turns[PatientConnection] = Turns(max(1, self.cfg.threads // TLS_SHARE), TLS_QUEUE, self._discard)
        self._told = 0.0
        self._plain = copy.copy(self.cfg)
        self._plain.settings = {**self.cfg.settings, "certfile": _Unset(), "keyfile": _Unset()}

    def init_process(self) -> None:
        """Before the loop: a phone that walked away is no error worth a line in the log."""
        self.log.error_log.addFilter(_not_a_timeout)
        self._tls = bool(self.cfg.is_ssl)
        self._doors = {id(listener): listener.getsockname() for listener in self.sockets}
        super().init_process()

    def load_wsgi(self) -> None:
        """The app may close its connection, as servers behind another server must not let it (PEP 3333), and may have
        ``at_once(request, client)``: the bytes of an answer after which the connection ends, or None; and
        ``quick(request, client, tls)``: the bytes of an answer and whether the connection goes on, or None. The first
        is asked in the loop and must not wait for anything, the second in a thread.
        """
        super().load_wsgi()
        plain: Callable[..., Any] = self.wsgi
        self._at_once = getattr(plain, "at_once", _never)
        self._quick = getattr(plain, "quick", None)
        self.wsgi = closing_when_told(plain)

    # -- the loop --

    def notify(self) -> None:
        """At every turn: count the connections that threads have closed, and now and then tell the master."""
        while self._closed:
            self._closed.popleft()
            self.nr_conns -= 1
        now = time.monotonic()
        if now - self._told >= ALIVE_SECONDS:
            self._told = now
            super().notify()

    def accept(self, listener: Any) -> None:
        """Take a new connection; most have brought their request, the others wait for it."""
        try:
            plain, client = listener.accept()
        except OSError as error:
            if error.errno == errno.EMFILE:
                self._make_room(None)
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        server = self._doors[id(listener)]
        config = self._plain if server[1] == self.plain_port else self.cfg
        conn = PatientConnection(config, plain, client, server)
        conn.tls, conn.quick = config is self.cfg and self._tls, self._quick
        self._welcome(conn)

    def _welcome(self, conn: PatientConnection) -> None:
        """A connection that is not in the poller: look at what it has brought."""
        try:
            seen = conn.sock.recv(LOOK_AHEAD, socket.MSG_PEEK)
        except BlockingIOError:
            self._wait(conn, 1)
            return
        except OSError:
            seen = b""
        if not seen:
            self.nr_conns -= 1
            conn.close()
        elif rest := self._rest(conn, seen):
            self._wait(conn, min(len(seen) + rest, LOOK_AHEAD))

    def _rest(self, conn: PatientConnection, seen: bytes) -> int:
        """Bytes that have surely still to come; 0 when the connection has been dealt with."""
        answer = None if conn.tls else self._at_once(seen, conn.client[0])
        if answer is not None:
            self._forget(conn)
            self._answer(conn, answer)
            return 0
        rest = (missing_tls if conn.tls else missing)(seen)
        if rest and len(seen) < LOOK_AHEAD:
            return rest
        self._forget(conn)
        self._want(conn, 1)
        conn.be_patient()
        self.enqueue_req(conn)
        return 0

    def _wait(self, conn: PatientConnection, wanted: int) -> None:
        if len(self.pending_conns) >= IN_ALL:
            self._make_room(None)
        if self._waiting[conn.client[0]] >= PER_CLIENT:
            self._make_room(conn.client[0])
        self._want(conn, wanted)
        conn.waits = True
        conn.timeout = time.monotonic() + ARRIVAL_SECONDS
        self._waiting[conn.client[0]] += 1
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, 1, partial(self.on_pending_socket_readable, conn))

    @staticmethod
    def _want(conn: PatientConnection, wanted: int) -> None:
        if wanted != conn.wanted:
            conn.wanted = wanted
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted)

    def _make_room(self, client: str | None) -> None:
        """Drop the connection that has waited longest, of this address or of all."""
        for conn in self.pending_conns:
            if client is None or conn.client[0] == client:
                self._drop(conn)
                return

    def on_pending_socket_readable(self, conn: PatientConnection, client: socket.socket) -> None:
        """More has come: look at it without taking it, and hand over when it is whole."""
        try:
            seen = client.recv(LOOK_AHEAD, socket.MSG_PEEK)
        except OSError:
            self._drop(conn)
            return
        rest = self._rest(conn, seen)
        if rest and len(seen) < conn.wanted:
            self._drop(conn)  # woken before enough was there: the other end has closed
        elif rest:
            self._want(conn, min(len(seen) + rest, LOOK_AHEAD))

    def _answer(self, conn: PatientConnection, answer: bytes) -> None:
        """From the loop: a few hundred bytes fit into any socket's buffer."""
        with contextlib.suppress(OSError):
            conn.sock.send(answer)
        self.nr_conns -= 1
        conn.close(graceful=True)

    def on_client_socket_readable(self, conn: PatientConnection, client: socket.socket) -> None:
        """A kept connection speaks again: plain ones wait like new ones; TLS cannot be looked into."""
        if conn.tls:
            super().on_client_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._welcome(conn)

    def murder_pending(self) -> None:
        """Drop what has waited too long."""
        now = time.monotonic()
        while self.pending_conns and self.pending_conns[0].timeout <= now:
            self._drop(self.pending_conns[0])

    def _forget(self, conn: PatientConnection) -> None:
        """It waits no longer, if it did."""
        if not conn.waits:
            return
        conn.waits = False
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)
        self._waiting[conn.client[0]] -= 1
        if not self._waiting[conn.client[0]]:
            del self._waiting[conn.client[0]]

    def _drop(self, conn: PatientConnection) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    # -- the threads --

    def get_thread_pool(self) -> Hands[PatientConnection]:
        """See ThreadWorker."""
        return Hands(self.cfg.threads, self._work)

    def enqueue_req(self, conn: PatientConnection) -> None:
        """See ThreadWorker. A portal's TLS takes turns: its thread waits for what cannot be looked into."""
        conn.in_turn = conn.tls and self.plain_port is not None
        if not conn.in_turn or self._turns.take(conn.client[0], conn):
            self.tpool.give(conn)

    def _discard(self, conn: PatientConnection) -> None:
        """From the loop: an address with too many connections at once."""
        self.nr_conns -= 1
        conn.close()

    def handle_error(self, _request: Any, client: Any, _address: Any, error: BaseException) -> None:
        """See unreadable."""
        trouble = tell(client, error)
        if trouble and not isinstance(error, TimeoutError):
            self.log.error("request failed: %s", trouble)

    def _work(self, conn: PatientConnection) -> None:
        """In a thread: one connection, and those of its address that waited for their turn behind it."""
        following: PatientConnection | None = conn
        while following is not None:
            conn, in_turn = following, following.in_turn
            self._serve(conn)
            following = self._turns.after(conn.client[0]) if in_turn else None

    def _serve(self, conn: PatientConnection) -> None:
        """Answer, then close here, or give back to the loop what goes on."""
        conn.goes_on = False
        try:
            goes_on = self.handle(conn) or conn.goes_on
        except BaseException:  # as a future would have kept it: gunicorn has told what there is to tell
            goes_on = False
        if goes_on:
            self.method_queue.defer(self.finish_request, conn, _Kept)
            return
        conn.close(graceful=True)
        self._closed.append(None)
        if not (self.alive and self._accepting):
            self.method_queue.defer(_nothing)  # the loop waits for the number of connections to fall


class _Kept:
    """A finished future, for gunicorn: the connection goes on."""

    @staticmethod
    def cancelled() -> bool:
        """As Future.cancelled."""
        return False

    @staticmethod
    def result() -> bool:
        """As Future.result."""
        return True


def _nothing() -> None:
    """Only to wake the loop."""


def _never(_request: bytes, _client: str) -> bytes | None:
    return None


def _not_a_timeout(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], TimeoutError))
