"""One web process under gunicorn; its application class is imported here alone."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication

from device.errors import HirobaError
from device.logs import open_log
from device.watchdog import Heartbeat, Notifier, http_probe
from provisioning.doors import door_worker
from provisioning.messages import explain
from provisioning.serve import Listen, Served
from provisioning.sockets import patient_tls
from provisioning.workers import PatientWorker

_ARENA_MAX = -8
"""M_ARENA_MAX of mallopt(3), glibc's malloc.h."""
_APP_LOAD_ERROR = 4  # the exit code by which gunicorn knows that another try would fail alike


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn with the settings of this house; ``run`` serves until a signal."""

    def __init__(self, listen: Listen, build: Callable[[], Served]) -> None:
        self._listen = listen
        self._build = build
        self._served: Served | None = None
        probe = http_probe(listen.host, listen.port, listen.alive, tls=bool(listen.tls and not listen.tls_port))
        self._heartbeat = Heartbeat(Notifier.take(), probe)  # in the master: it asks the workers, whichever answers
        super().__init__()

    def load_config(self) -> None:
        """See BaseApplication."""
        listen = self._listen
        host = f"[{listen.host}]" if ":" in listen.host else listen.host
        options: dict[str, object] = {
            "bind": [f"{host}:{port}" for port in listen.ports],
            "workers": listen.workers,
            "threads": listen.threads,
            "worker_class": type("Worker", (PatientWorker,), {"plain_port": listen.port if listen.tls_port else None}),
            "worker_tmp_dir": "/dev/shm",  # noqa: S108  # the heartbeat file must not touch the card (wear)
            "control_socket_disable": True,  # docs/sources.md#gunicorn
            "proc_name": f"hiroba-{listen.name}",
            "loglevel": "warning",
            "limit_request_line": 4094,
            "limit_request_fields": 60,
            "graceful_timeout": 5,
            "keepalive": 5,
            "pre_fork": lambda _arbiter, _worker: _share_memory(),
            "when_ready": lambda _arbiter: self._heartbeat.start(after_fork=True),
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


def _share_memory() -> None:
    """What is loaded by now is left alone by the workers' garbage collectors, so that its pages stay shared; and all
    threads of a worker take from one heap (glibc would give each its own: 5 MiB more a worker, and no faster here).
    """
    gc.collect()
    gc.freeze()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)
