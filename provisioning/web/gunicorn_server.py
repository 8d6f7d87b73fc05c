"""One web process under stock gunicorn (``gthread``), with a log without client data; the only importer of gunicorn."""

from __future__ import annotations

import ctypes
import gc
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from device.logs import open_log, places
from device.watchdog import Heartbeat, Notifier, Probe, socket_probe
from provisioning.nginx_headers import with_client_address
from provisioning.web.arrival import with_arrival
from provisioning.web.local_users import for_local_users
from provisioning.web.process import BehindNginx, LocalSocket, ServerOptions, Tcp, WebApp
from provisioning.web.starting import APP_LOAD_ERROR, report_once

_ARENA_MAX = -8
"""M_ARENA_MAX of mallopt(3), glibc's malloc.h."""
_SOCKET_MODE = 0o660
"""The group of the folder's new files: of a socket behind nginx the process's own, which nginx is a member of; of a
local one that of the process that may come by it (systemd/sysusers.d, tmpfiles.d).
"""


class PrivateLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's ``logger_class``, without what a client sent and without its address (N3, N8), since gunicorn quotes
    requests that it cannot parse. Warnings, which are about requests, are dropped; of exceptions kind and places are
    logged.
    """

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Nothing: "Invalid request from ip=…" and its like."""

    def exception(self, _msg: str, *_args: Any, **_kwargs: Any) -> None:
        """An error of the application."""
        error = sys.exc_info()[1]
        if error is not None:
            open_log(self.cfg.proc_name).error("request_failed", kind=type(error).__name__, places=places(error))


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """``run`` serves until a signal."""

    def __init__(self, serving: ServerOptions, build: Callable[[], WebApp]) -> None:
        self._serving = serving
        self._build = report_once(lambda: self._started(build))
        self._beat: Callable[[], object] = lambda: None
        self._served: WebApp | None = None
        self._heartbeat = Heartbeat(Notifier.take(), _probe(serving))  # in the arbiter: it probes the workers
        super().__init__()

    def load_config(self) -> None:
        """See BaseApplication."""
        serving = self._serving
        options: dict[str, object] = {
            "bind": [_bind(address) for address in (serving.address, serving.local) if address is not None],
            "workers": serving.workers,
            "threads": serving.threads,
            "worker_class": "gthread",
            "worker_tmp_dir": "/dev/shm",  # noqa: S108  # the heartbeat file must not be on the SD card (wear)
            "control_socket_disable": True,
            "proc_name": f"hiroba-{serving.name}",
            "loglevel": "warning",
            "logger_class": PrivateLog,
            "limit_request_line": 8190,  # nginx allows less (render/nginx.py)
            "limit_request_fields": 60,
            "graceful_timeout": 5,
            "keepalive": 5,
            "secure_scheme_headers": {"X-FORWARDED-PROTO": "https"},
            # Else a worker that ended would hold the connections that a browser keeps open.
            **({"keepalive": 0} if serving.active is not None else {}),
            "pre_fork": lambda _arbiter, _worker: _share_memory(),
            "when_ready": lambda _arbiter: self._heartbeat.start(after_fork=True),
            "on_exit": lambda _arbiter: self._heartbeat.stop(),
            "post_fork": self._post_fork,
            "worker_exit": self._worker_exit,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        """Built in the worker, after the fork: threads and database handles belong to it alone."""
        try:
            self._served = self._build()
        except Exception as error:
            # Before the first request, so the message quotes no visitor. The unit restarts the process.
            facts = {"kind": type(error).__name__, "reason": str(error)[:200], "places": places(error)}
            open_log(self._serving.name).error("could_not_start", **facts)
            sys.exit(APP_LOAD_ERROR)
        app, local, users = self._served.app, _local(self._serving), self._serving.users
        if self._serving.active is not None:
            app = self._serving.active.counted(app)
        app = with_arrival(app, local.path) if local else app
        if users is not None:
            app = for_local_users(app, users, open_log(self._serving.name))
        return with_client_address(app) if isinstance(self._serving.address, BehindNginx) else app

    def _started(self, build: Callable[[], WebApp]) -> WebApp:
        """Built, and started once it is this worker's turn to serve."""
        active = self._serving.active
        first = active is None or active.try_take()
        served = build()
        if active is not None and not first:
            served.warm()
            active.wait(self._beat)
        served.start()
        return served

    def _post_fork(self, _server: object, worker: Any) -> None:
        self._beat = lambda: worker.notify() if worker.alive else sys.exit(0)

    def _worker_exit(self, _server: object, _worker: object) -> None:
        if self._served is not None:
            self._served.stop()


def _local(serving: ServerOptions) -> LocalSocket | None:
    return serving.address if isinstance(serving.address, LocalSocket) else serving.local


def _bind(address: Tcp | BehindNginx | LocalSocket) -> str:
    if isinstance(address, Tcp):
        return f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}"
    return f"fd://{_listen(address.path)}"


def _listen(path: Path) -> int:
    """A listening socket at ``path``; gunicorn's own would be changed with chown(2), which the units forbid."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.bind(str(path))
        path.chmod(_SOCKET_MODE)
        made.listen(2048)
        return os.dup(made.fileno())


def _probe(serving: ServerOptions) -> Probe:
    address = (
        serving.local or serving.address
    )  # by the local one, since behind nginx a request without a name is refused
    return socket_probe((address.host, address.port) if isinstance(address, Tcp) else str(address.path), serving.alive)


def _share_memory() -> None:
    """Freeze the objects loaded so far for the garbage collectors of the workers, so that their memory pages stay
    shared, and use one malloc arena for all threads of a worker (one each would be 5 MiB more a worker and no faster
    here).
    """
    gc.collect()
    gc.freeze()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)
