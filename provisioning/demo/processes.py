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

from device.loopback import free_ports
from provisioning.errors import DemoNotReady

READY_SECONDS = 60.0
ANSWER_SECONDS = 2.0
STOP_SECONDS = 10.0
GONE_SECONDS = 1.0
"""More than a killed process takes to end."""
_LEASH = ("setpriv", "--pdeathsig", "TERM", "--")
"""A demo that is killed takes its children with it (util-linux, on every Debian)."""
_OF_A_PROGRAM = re.compile(r"\[[0-9-]+ [0-9:]+ |\{")
"""How a line begins that is not for people: gunicorn's own log, and ours (JSON)."""


@dataclass
class Child:
    """One ``hiroba`` process. ready: asks whether it serves yet; served: whether it has, since it was last started."""

    name: str
    arguments: list[str]
    logs: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    served: bool = False
    _said_before: int = 0

    @property
    def log(self) -> Path:
        """Where its standard error goes."""
        return self.logs / f"{self.name}.log"

    def start(self) -> None:
        """Start it; returns at once."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.served = False
        with self.log.open("ab") as log:
            self._said_before = log.tell()
            self.process = subprocess.Popen(
                [*_LEASH, sys.executable, "-m", "provisioning", *self.arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
                start_new_session=True,  # Ctrl-C reaches the demo alone, which then stops its children in order
            )

    def wait_ready(self) -> None:
        """Return when it serves. Raises DemoNotReady when it ended first or took too long."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.look():
                return
            time.sleep(0.02)
        raise DemoNotReady(process=self.name, reason_ja=f"{READY_SECONDS:.0f} 秒", reason="no answer", log=self.log)

    def look(self) -> bool:
        """Whether it serves. Raises DemoNotReady, with what it said, when it ended before it ever did."""
        if self.ended and not self.served:
            japanese, english = self.message()
            raise DemoNotReady(process=self.name, reason_ja=japanese, reason=english, log=self.log)
        self.served = self.served or self.ready()
        return self.served

    @property
    def ended(self) -> bool:
        """Whether it does not run."""
        return self.process is None or self.process.poll() is not None

    def message(self) -> tuple[str, str]:
        """What it said to people since it was started: in Japanese and in English, or its last line for both."""
        with self.log.open("rb") as log:
            log.seek(self._said_before)
            lines = log.read().decode("utf-8", "replace").splitlines()
        own = "\n".join(line for line in lines if not _OF_A_PROGRAM.match(line)).strip()
        japanese, blank, english = own.partition("\n\n")
        if not blank or "Traceback" in own:
            japanese = english = next((line for line in reversed(lines) if line.strip()), "-")[:300]
        return japanese.replace("\n", "\n  "), english.replace("\n", "\n  ")

    def revive(self) -> bool:
        """Start it again if it ended after it had served; whether it had. Raises DemoNotReady as ``look`` does."""
        self.look()
        died = self.ended
        if died:
            self._end_group()
            self.start()
        return died

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """SIGTERM, and SIGKILL after ``seconds``. Then nothing that it started runs any more: a worker whose arbiter is
        killed would go on for a moment, and close its database after us.
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
    """Return when no process of ``group`` is left, or when only those can be that nobody reaps."""
    deadline = time.monotonic() + GONE_SECONDS
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
    """The same over TLS, whoever it is: it is asked whether it answers, nothing else."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return _answers(http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context), path)


def _answers(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    """A TCP port on loopback that nobody used a moment ago."""
    return free_ports(1)[0]
