"""What one web process serves, and where it listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple


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
    """A unix socket that nginx alone may open; what its headers say of the client is believed (nginx_headers.py)."""

    path: Path


@dataclass(frozen=True)
class Serving:
    """name: in the process list. alive: the path that the watchdog asks for (device/watchdog.py)."""

    name: str
    address: Tcp | BehindNginx
    workers: int = 1
    threads: int = 8
    alive: str = "/"
