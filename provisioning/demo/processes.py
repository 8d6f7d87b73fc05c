"""Child processes of the demo: started with their own log, watched, started again when they die, stopped by pid."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from device.child_process import ends_with_this_process
from device.loopback import free_ports
from device.watchdog import socket_probe
from provisioning.errors import DemoNotReady

READY_SECONDS = 60.0
ANSWER_SECONDS = 2.0
STOP_SECONDS = 10.0
EXIT_SECONDS = 1.0
"""Longer than a killed process takes to end."""
_LOG_LINE = re.compile(r"\[[0-9-]+ [0-9:]+ |\{")
"""The start of a log line, gunicorn's or Hiroba's (JSON); other lines are messages for people."""


@dataclass
class Child:
    """One ``hiroba`` process. ready: whether it serves now; served: whether it has served since its last start."""

    name: str
    arguments: list[str]
    logs: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    served: bool = False
    _log_offset: int = 0

    @property
    def log(self) -> Path:
        """The file of its output."""
        return self.logs / f"{self.name}.log"

    def start(self) -> None:
        """Start it; returns at once."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.served = False
        with self.log.open("ab") as log:
            self._log_offset = log.tell()
            self.process = subprocess.Popen(
                ends_with_this_process([sys.executable, "-m", "provisioning", *self.arguments]),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
                start_new_session=True,  # Ctrl-C reaches the demo alone, which then stops its children in order
            )

    def wait_ready(self) -> None:
        """Return when it serves. Raises DemoNotReady when it ends first or takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.has_served():
                return
            time.sleep(0.02)
        raise DemoNotReady(process=self.name, reason_ja=f"{READY_SECONDS:.0f} 秒", reason="no answer", log=self.log)

    def has_served(self) -> bool:
        """Whether it has served. Raises DemoNotReady, with its message, when it ended before."""
        if self.ended and not self.served:
            japanese, english = self.message()
            raise DemoNotReady(process=self.name, reason_ja=japanese, reason=english, log=self.log)
        self.served = self.served or self.ready()
        return self.served

    @property
    def ended(self) -> bool:
        """Whether it is not running."""
        return self.process is None or self.process.poll() is not None

    def message(self) -> tuple[str, str]:
        """Its message since its start, in Japanese and in English, or its last line for both."""
        with self.log.open("rb") as log:
            log.seek(self._log_offset)
            lines = log.read().decode("utf-8", "replace").splitlines()
        own = "\n".join(line for line in lines if not _LOG_LINE.match(line)).strip()
        japanese, blank, english = own.partition("\n\n")
        if not blank or "Traceback" in own:
            japanese = english = next((line for line in reversed(lines) if line.strip()), "-")[:300]
        return japanese.replace("\n", "\n  "), english.replace("\n", "\n  ")

    def restart_if_ended(self) -> bool:
        """Start it again if it ended; whether it had. Raises DemoNotReady as ``has_served`` does."""
        self.has_served()
        died = self.ended
        if died:
            self._end_group()
            self.start()
        return died

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """SIGTERM, and SIGKILL after ``seconds``; then SIGKILL for the rest of its process group: a worker whose
        arbiter was killed would run on for a moment.
        """
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self._end_group()

    def _end_group(self) -> None:
        """What it started: workers of an nginx that was killed would hold its ports for ever."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its session is its own, see start
        self.process.wait()
        _wait_group(self.process.pid)


def _wait_group(group: int) -> None:
    """Return when no process of ``group`` is left, or after EXIT_SECONDS (unreaped zombies remain in it)."""
    deadline = time.monotonic() + EXIT_SECONDS
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)


def listens(host: str, port: int) -> bool:
    """Whether something accepts TCP connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def answers(host: str, port: int, path: str = "/") -> bool:
    """Whether an HTTP server there answers: gunicorn listens before its application is built."""
    return _answers(http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS), path)


def answers_tls(host: str, port: int, path: str = "/") -> bool:
    """The same over TLS, without verifying the server."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return _answers(http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context), path)


def answers_locally(path: Path) -> bool:
    """The same over a unix socket."""
    return socket_probe(str(path), seconds=ANSWER_SECONDS)()


def _answers(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    """An unused TCP port on loopback."""
    return free_ports(1)[0]
