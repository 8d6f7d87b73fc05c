"""Several ports of one web process, each with its own demands on TLS, and the connection's own facts for the app.

The app reads from the WSGI environment: DOOR, the name of the port, and PEER, the caller's credential (DER) that TLS
has verified, or None. Both come from the socket; what comes from headers is called HTTP_… (PEP 3333), so nobody can
write them from outside.
"""

from __future__ import annotations

import copy
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioning.sockets import patient_tls
from provisioning.workers import PatientConnection, PatientWorker

DOOR, PEER = "hiroba.door", "hiroba.peer"


@dataclass(frozen=True)
class Door:
    """A further port under the same TLS credential. client_ca: PEM file; who shows no credential of this CA, valid
    today and made for clients, gets no further than the handshake. None: nobody is asked for one.
    """

    name: str
    port: int
    client_ca: str | None = None


def door_worker(doors: Sequence[Door]) -> type[PatientWorker]:
    """The worker class for a process with ``doors``."""
    by_port = {door.port: door for door in doors}

    class DoorWorker(PatientWorker):
        """See the module."""

        wsgi: Any

        def init_process(self) -> None:
            """One TLS configuration for each door."""
            self._configs = {port: _config(self.cfg, door) for port, door in by_port.items()}
            super().init_process()

        def enqueue_req(self, conn: PatientConnection) -> None:
            """Called before the handshake: the port decides what is demanded."""
            conn.cfg = self._configs.get(conn.server[1], conn.cfg)
            super().enqueue_req(conn)

        def load_wsgi(self) -> None:
            """The app is told what the socket knows."""
            super().load_wsgi()
            plain: Callable[..., Any] = self.wsgi
            self.wsgi = told_by_the_socket(plain, by_port)

    return DoorWorker


def _config(plain: Any, door: Door) -> Any:
    config = copy.copy(plain)
    config.settings = {name: copy.copy(setting) for name, setting in plain.settings.items()}
    config.set("ssl_context", patient_tls())
    if door.client_ca:
        config.set("ca_certs", door.client_ca)
        config.set("cert_reqs", ssl.CERT_REQUIRED)
    return config


def told_by_the_socket(app: Callable[..., Any], by_port: Mapping[int, Door]) -> Callable[..., Any]:
    """WSGI around ``app`` that sets DOOR and PEER."""

    def told(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        connection = environ["gunicorn.socket"]
        door = by_port.get(connection.getsockname()[1])
        environ[DOOR] = door.name if door else ""
        environ[PEER] = connection.getpeercert(binary_form=True) if isinstance(connection, ssl.SSLSocket) else None
        return app(environ, start_response)

    return told
