"""By which of a process's sockets a request came, told to the application where no header can say it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_KEY = "hiroba.local_socket"
_SOCKET = "gunicorn.socket"


def with_arrival(app: Callable[..., Any], local: Path) -> Callable[..., Any]:
    """WSGI around ``app``: what came by the socket at ``local`` is marked. Only gunicorn is known to say which."""
    name = str(local)

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ[_KEY] = environ[_SOCKET].getsockname() == name
        return app(environ, start_response)

    return wrapped


def came_locally(environ: Mapping[str, Any]) -> bool:
    """Whether a request came by the local socket."""
    return environ.get(_KEY) is True
