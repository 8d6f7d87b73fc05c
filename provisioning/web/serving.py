"""Runs one web process: where it listens, what it serves. gunicorn is loaded only when serving begins."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from provisioning.errors import PortNotAllowed, PortTaken
from provisioning.web.starting import told_once


@dataclass(frozen=True)
class Served:
    """A WSGI app and what lives beside it: ``start`` runs in the worker after the fork, ``stop`` before it ends."""

    app: Callable[..., Any]
    start: Callable[[], None] = field(default=lambda: None)
    stop: Callable[[], None] = field(default=lambda: None)


class Tcp(NamedTuple):
    """An address for everybody who reaches it; plain HTTP."""

    host: str
    port: int


class BehindNginx(NamedTuple):
    """A unix socket that nginx alone may open; what its headers say of the client is believed (behind_nginx.py)."""

    path: Path


@dataclass(frozen=True)
class Serving:
    """name: in the process list. alive: the path that the watchdog asks for (device/watchdog.py)."""

    name: str
    address: Tcp | BehindNginx
    workers: int = 1
    threads: int = 8
    alive: str = "/"


def serve(serving: Serving, build: Callable[[], Served]) -> None:
    """Serve until SIGTERM or SIGINT; what cannot start ends with exit code 1. Raises PortTaken or PortNotAllowed before
    anything is built.
    """
    from provisioning.web.gunicorn_server import Server

    if isinstance(serving.address, Tcp):
        check_port(*serving.address)
    arbiter = os.getpid()
    try:
        Server(serving, told_once(lambda: _started(build))).run()
    except SystemExit as end:
        if os.getpid() != arbiter:
            raise  # a worker's: gunicorn tells by its exit code whether another one may be started
        sys.exit(1 if end.code else 0)


def _started(build: Callable[[], Served]) -> Served:
    served = build()
    served.start()
    return served


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
