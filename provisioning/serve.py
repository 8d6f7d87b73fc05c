"""Runs one web process: where it listens, what it serves. gunicorn is loaded only when serving begins."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from provisioning.errors import PortNotAllowed, PortTaken
from provisioning.starting import told_once

if TYPE_CHECKING:
    from provisioning.doors import Door


@dataclass(frozen=True)
class Served:
    """A WSGI app and what lives beside it: ``start`` runs in the worker after the fork, ``stop`` before it ends."""

    app: Callable[..., Any]
    start: Callable[[], None] = field(default=lambda: None)
    stop: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True)
class Listen:
    """Where and how to serve. tls: (certificate file, key file), or None for plain HTTP; with tls_port, port stays
    plain and tls_port speaks TLS, by the same workers. name: in the process list.
    doors: further ports with demands of their own, for which tls is needed (provisioning.doors).
    alive: the path that the watchdog asks for (device/watchdog.py).
    """

    host: str
    port: int
    name: str
    workers: int = 1
    threads: int = 8
    tls: tuple[str, str] | None = None
    tls_port: int | None = None
    alive: str = "/"
    doors: tuple[Door, ...] = ()

    @property
    def ports(self) -> list[int]:
        """Every port, the first one first."""
        return [port for port in (self.port, self.tls_port, *(door.port for door in self.doors)) if port]


def serve(listen: Listen, build: Callable[[], Served]) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortTaken or PortNotAllowed before anything is built."""
    from provisioning.server import Server

    for port in listen.ports:
        check_port(listen.host, port)
    arbiter = os.getpid()
    try:
        Server(listen, told_once(lambda: _started(build))).run()
    except SystemExit as end:
        if os.getpid() != arbiter:
            raise  # a worker's: gunicorn tells by its exit code whether another one may be started
        sys.exit(1 if end.code else 0)


def _started(build: Callable[[], Served]) -> Served:
    served = build()
    served.start()
    return replace(served, start=lambda: None)


def every_address() -> str:
    """All addresses of the box: both families where it has IPv6, else IPv4 alone."""
    return "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 - the caller asked for all of them


def check_port(host: str, port: int) -> None:
    """Try the address once, so that a taken port is one clear sentence and not a retry loop in a log."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            kind = PortTaken if error.errno == errno.EADDRINUSE else PortNotAllowed
            raise kind(host=host, port=port, reason=error.strerror or "") from error
