"""Runs one web process under gunicorn; gunicorn is imported here and in workers. May import: provisioning, device."""

from __future__ import annotations

import errno
import gc
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gunicorn.app.base import BaseApplication

from device.errors import HirobaError
from device.logs import open_log
from device.watchdog import Heartbeat, Notifier, http_probe
from provisioning.doors import Door, door_worker
from provisioning.errors import PortNotAllowed, PortTaken
from provisioning.messages import explain
from provisioning.workers import PatientWorker, patient_tls

_APP_LOAD_ERROR = 4  # the exit code by which gunicorn knows that another try would fail alike


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
    for port in listen.ports:
        check_port(listen.host, port)
    try:
        _Server(listen, build).run()
    except SystemExit as end:
        sys.exit(1 if end.code else 0)


def _share_memory() -> None:
    """What is loaded by now is left alone by the workers' garbage collectors, so that its pages stay shared."""
    gc.collect()
    gc.freeze()


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


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    def __init__(self, listen: Listen, build: Callable[[], Served]) -> None:
        self._listen = listen
        self._build = build
        self._served: Served | None = None
        probe = http_probe(listen.host, listen.port, listen.alive, tls=bool(listen.tls and not listen.tls_port))
        self._heartbeat = Heartbeat(Notifier.take(), probe)  # in the master: it asks the workers, whichever answers
        super().__init__()

    def load_config(self) -> None:
        listen = self._listen
        host = f"[{listen.host}]" if ":" in listen.host else listen.host
        options: dict[str, object] = {
            "bind": [f"{host}:{port}" for port in listen.ports],
            "workers": listen.workers,
            "threads": listen.threads,
            "worker_class": type("Worker", (PatientWorker,), {"plain_port": listen.port if listen.tls_port else None}),
            "worker_tmp_dir": "/dev/shm",  # noqa: S108  # the heartbeat file must not touch the card (wear)
            "control_socket_disable": True,  # facts/kiosk_fleet_ux.md §0.4
            "proc_name": f"hiroba-{listen.name}",
            "loglevel": "warning",
            "limit_request_line": 4094,
            "limit_request_fields": 60,
            "graceful_timeout": 5,
            "keepalive": 5,
            "pre_fork": lambda _arbiter, _worker: _share_memory(),
            "when_ready": lambda _arbiter: self._heartbeat.start(),
            "on_exit": lambda _arbiter: self._heartbeat.stop(),
            "worker_exit": self._worker_exit,
        }
        if listen.tls:
            options["certfile"], options["keyfile"] = listen.tls
            options["ssl_context"] = patient_tls()
        if listen.doors:
            options["worker_class"] = door_worker(listen.doors)
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        """Built in the worker, after the fork: threads and database handles belong to it alone."""
        try:
            self._served = self._build()
            self._served.start()
        except HirobaError as error:
            sys.stderr.write(explain(error) + "\n")
            sys.exit(_APP_LOAD_ERROR)
        except Exception:
            # A mistake of ours: told with its trace in the log, and the process ends so that its unit can try anew.
            open_log(self._listen.name).error("could_not_start", exc_info=True)
            sys.exit(_APP_LOAD_ERROR)
        return self._served.app

    def _worker_exit(self, _server: object, _worker: object) -> None:
        if self._served is not None:
            self._served.stop()
