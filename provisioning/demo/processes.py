"""Child processes of the demo: started with their own log, watched, started again when they die, stopped by pid."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from device.loopback import free_ports
from provisioning.errors import DemoNotReady

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
_LEASH = ("setpriv", "--pdeathsig", "TERM", "--")
"""A demo that is killed takes its children with it (util-linux, on every Debian)."""


@dataclass
class Child:
    """One ``hiroba`` process. ready: asks whether it serves yet."""

    name: str
    arguments: list[str]
    logs: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where its standard error goes."""
        return self.logs / f"{self.name}.log"

    def start(self) -> None:
        """Start it; returns at once."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
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
            if self.process is None or self.process.poll() is not None:
                raise DemoNotReady(process=self.name, reason=self.last_line(), log=self.log)
            if self.ready():
                return
            time.sleep(0.02)
        raise DemoNotReady(process=self.name, reason=f"{READY_SECONDS:.0f} s", log=self.log)

    def last_line(self) -> str:
        """The last thing it said, for the error message."""
        lines = self.log.read_text("utf-8", "replace").split("\n") if self.log.exists() else []
        return next((line for line in reversed(lines) if line.strip()), "-")[:300]

    def revive(self) -> bool:
        """Start it again if it died; whether it had."""
        died = self.process is not None and self.process.poll() is not None
        if died:
            self.start()
        return died

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after STOP_SECONDS."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def listens(host: str, port: int) -> bool:
    """Whether something accepts TCP connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def free_port() -> int:
    """A TCP port on loopback that nobody used a moment ago."""
    return free_ports(1)[0]
