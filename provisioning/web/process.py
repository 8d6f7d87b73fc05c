"""The web app of one process, and where it listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from provisioning.web.active_worker import ActiveWorker


@dataclass(frozen=True)
class WebApp:
    """A WSGI app and its background work: ``start`` runs in the worker after the fork, ``stop`` before it ends. warm:
    what a worker does while it waits to serve.
    """

    app: Callable[..., Any]
    start: Callable[[], None] = field(default=lambda: None)
    stop: Callable[[], None] = field(default=lambda: None)
    warm: Callable[[], None] = field(default=lambda: None)


class Tcp(NamedTuple):
    """A TCP address; plain HTTP."""

    host: str
    port: int


class LocalSocket(NamedTuple):
    """A unix socket for processes of this box: the rights of its folder say for which (systemd/tmpfiles.d)."""

    path: Path


class BehindNginx(NamedTuple):
    """A unix socket that nginx alone may open; its headers about the client are trusted (nginx_headers.py)."""

    path: Path


@dataclass(frozen=True)
class ServerOptions:
    """name: in the process list. alive: the path that the watchdog requests (device/watchdog.py). local: a second
    socket, for processes of this box; what comes by it is marked (arrival.py). users: the numeric local users whom a
    port on loopback answers; None: everybody. active: one of the workers serves, the others wait to replace it; None:
    all serve.
    """

    name: str
    address: Tcp | BehindNginx | LocalSocket
    local: LocalSocket | None = None
    workers: int = 1
    threads: int = 8
    alive: str = "/"
    users: frozenset[int] | None = None
    active: ActiveWorker | None = None
