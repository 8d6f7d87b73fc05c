"""Tells systemd that a process serves, and goes on serving: READY=1 and WATCHDOG=1, only after a proof.

gunicorn says READY=1 before its worker has loaded and never says WATCHDOG=1 (docs/sources.md#gunicorn). Here both
follow a probe that the service itself has to answer, so that "active" means "answers" and a frozen worker is restarted.
The protocol is sd_notify(3): one datagram of NAME=VALUE lines to the socket named by NOTIFY_SOCKET.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, MutableMapping
from typing import NamedTuple

MIN_PROBE_INTERVAL, MAX_PROBE_INTERVAL = 0.05, 0.5
"""Seconds between two probes until the first answer."""
PROBE_SECONDS = 2.0
"""How long an answer may take. A worker that died is replaced only after it, so it is short."""

_MAX_PAGE = 4 * 2**20

Probe = Callable[[], bool]
"""Whether the service answered just now."""


class Notifier(NamedTuple):
    """Where to tell, and how often at least. address: "" tells nobody; watchdog_seconds: 0 when none is set."""

    address: str
    watchdog_seconds: float

    @classmethod
    def take(cls, environment: MutableMapping[str, str] = os.environ) -> Notifier:
        """What systemd left in the environment; taken out of it, so that no child and no library speaks for us."""
        address = environment.pop("NOTIFY_SOCKET", "")
        period = environment.pop("WATCHDOG_USEC", "0")
        meant_for = environment.pop("WATCHDOG_PID", str(os.getpid()))
        mine = period.isdigit() and meant_for == str(os.getpid())
        return cls(address, int(period) / 1e6 if mine else 0.0)

    def tell(self, *lines: str) -> bool:
        """Send NAME=VALUE lines; False when there is nobody to hear them."""
        if not self.address:
            return False
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.setblocking(False)  # a systemd that is busy hears the next one; we never wait for it
                out.connect(name)
                out.sendall("\n".join(lines).encode())
        except OSError:
            return False
        return True


class Heartbeat:
    """A thread that asks ``probe`` and tells systemd only when it was answered: READY=1 once, then WATCHDOG=1.

    The process may fork: no fork happens while the thread asks. A child gets a copy of every lock as it was at the
    fork, and one that the thread held (of an import, of the resolver) would stay locked in the child.
    """

    def __init__(self, notifier: Notifier, probe: Probe) -> None:
        self._notifier = notifier
        self._probe = probe
        self._stopped = threading.Event()
        self._asking = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self, *, after_fork: bool = False) -> None:
        """Begin, when systemd listens; without it nothing is started. after_fork: only once the process has forked the
        one that will answer, so that its fork waits for no question.
        """
        if not self._notifier.address:
            return
        os.register_at_fork(before=self._asking.acquire, after_in_parent=self._forked, after_in_child=self._free)
        if not after_fork:
            self._thread.start()

    def _forked(self) -> None:
        self._free()
        if self._thread.ident is None:
            self._thread.start()

    def _free(self) -> None:
        self._asking.release()

    def stop(self) -> None:
        """Say STOPPING=1 and end. Safe without ``start``."""
        if not self._stopped.is_set():
            self._stopped.set()
            self._notifier.tell("STOPPING=1")
        if self._thread.ident is not None:
            self._thread.join(PROBE_SECONDS + 1)

    def _run(self) -> None:
        wait = MIN_PROBE_INTERVAL
        while not self._stopped.wait(wait):
            if self._ask("READY=1", "STATUS=answers"):
                break
            wait = min(wait * 2, MAX_PROBE_INTERVAL)
        period = self._notifier.watchdog_seconds / 4
        while period and not self._stopped.wait(period):
            self._ask("WATCHDOG=1")

    def _ask(self, *lines: str) -> bool:
        """Whether it answered and ``lines`` were told."""
        with self._asking:
            return self._probe() and self._notifier.tell(*lines)


def socket_probe(address: str | tuple[str, int], path: str = "/", *, seconds: float = PROBE_SECONDS) -> Probe:
    """Asks our own unix socket, or (host, port), over plain HTTP. Any answer counts, an error page too."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()

    def answered() -> bool:
        with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
            connection.settimeout(seconds)
            try:
                connection.connect(address)
                connection.sendall(asked)
                return connection.recv(5) == b"HTTP/"
            except OSError:
                return False

    return answered


def http_probe(host: str, port: int, path: str = "/", *, tls: bool = False, seconds: float = PROBE_SECONDS) -> Probe:
    """Asks our own port over HTTP. Any answer counts, an error page too: a restart would not mend what it tells of.
    Over TLS an alert counts as well: a listener that wants a client certificate has answered by refusing.
    """
    import ssl  # these two are 3 MiB that a process without a web page need not carry

    from device.http_exchange import NO_HTTP, Where, exchange

    where = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    context: ssl.SSLContext | None = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # it is our own port, and nothing is told or believed
        context.verify_mode = ssl.CERT_NONE

    def answered() -> bool:
        try:
            exchange(
                Where(where, port, context),
                "GET",
                path,
                seconds=seconds,
                max_bytes=_MAX_PAGE,
                headers={"Connection": "close"},
            )
        except ssl.SSLError:
            return True
        except NO_HTTP:
            return False
        return True

    return answered
