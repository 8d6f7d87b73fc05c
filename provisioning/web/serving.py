"""Runs one web process. gunicorn is loaded only when serving begins."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable

from provisioning.errors import PortNotAllowed, PortTaken
from provisioning.web.process import ServerOptions, Tcp, WebApp


def serve(serving: ServerOptions, build: Callable[[], WebApp]) -> None:
    """Serve until SIGTERM or SIGINT; what cannot start ends with exit code 1. Raises PortTaken or PortNotAllowed before
    anything is built.
    """
    from provisioning.web.gunicorn_server import Server

    if isinstance(serving.address, Tcp):
        check_port(*serving.address)
    arbiter = os.getpid()
    try:
        Server(serving, build).run()
    except SystemExit as end:
        if os.getpid() != arbiter:
            raise  # a worker's: its exit code tells gunicorn whether to start another one
        sys.exit(1 if end.code else 0)


def check_port(host: str, port: int) -> None:
    """Try the address once, so that a taken port is one clear sentence instead of a retry loop in a log."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            kind = PortTaken if error.errno == errno.EADDRINUSE else PortNotAllowed
            raise kind(host=host, port=port, reason=error.strerror or "") from error
        except OverflowError as error:
            raise PortNotAllowed(host=host, port=port, reason="1-65535") from error
