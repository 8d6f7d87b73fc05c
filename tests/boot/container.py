"""A box in a container: real systemd as process 1, a network of its own, and a plug that can be pulled."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from device.child_process import ends_with_this_process

START_SECONDS = 180.0
CGROUPS = Path("/sys/fs/cgroup")
ENTER = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs"; shift; n=$((n-1)); done; exec "$@"'
"""Go into the groups that are named, then become the rest of the command line."""
LEGACY = "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"
"""For systemd 257 on a test machine that still has cgroup v1 in its tree; others do not look at it."""


class Container:
    """``start`` returns when systemd answers; ``power_cut`` kills every process in it at once."""

    def __init__(self, root: Path, log: Path) -> None:
        self.root = root
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._groups: list[Path] = []

    def start(self) -> None:
        """Boot."""
        name = f"hiroba-boot-{os.getpid()}-{id(self):x}"
        command = [
            *("systemd-nspawn", "--boot", "--register=no", "--keep-unit", "--private-network", "--link-journal=no"),
            "--resolv-conf=off",  # the box's own file stays
            *("--console=pipe", f"--machine={name}", f"--directory={self.root}"),
            LEGACY,
        ]
        self._groups = _own_groups(name)
        command = ends_with_this_process(command, "KILL")  # a test run that is killed takes its box with it
        command = ["/bin/sh", "-ec", ENTER, "sh", str(len(self._groups)), *map(str, self._groups), *command]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.until("systemd answers", self._booted)

    def _booted(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text("utf-8", "replace")[-2000:]
        self._leader = _first_process(self._process.pid)
        return bool(self._leader) and self.run("systemctl", "is-system-running", check=False).strip() not in (
            "",
            "offline",
        )

    def until(self, what: str, holds: object, seconds: float = START_SECONDS) -> float:
        """Wait until ``holds()``; how long it took, in seconds."""
        assert callable(holds)
        begun = time.monotonic()
        while not holds():
            assert time.monotonic() - begun < seconds, f"not in {seconds:.0f} s: {what}"
            time.sleep(0.05)
        return time.monotonic() - begun

    def command(self, *words: str) -> list[str]:
        """The command line that runs ``words`` in the box, as root."""
        assert self._leader
        environment = (
            "/usr/bin/env",
            "-i",
            "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            "HOME=/root",
        )
        return ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C", "--", *environment, *words]

    def run(self, *words: str, check: bool = True, seconds: float = 120.0) -> str:
        """What a command in the box printed."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, timeout=seconds, stdin=subprocess.DEVNULL
        )
        assert not check or done.returncode == 0, (words, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command in the box and do not wait for it."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self.command(*words), stdin=quiet, stdout=quiet, stderr=quiet)

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        told = self.run("systemctl", "show", "-p", ",".join(names), unit)
        return dict(line.split("=", 1) for line in told.splitlines() if "=" in line)

    def active(self, unit: str) -> bool:
        """Whether the unit is active; for our web processes that means: it answers."""
        return self.run("systemctl", "is-active", unit, check=False).strip() == "active"

    def power_cut(self) -> None:
        """Kill process 1 of the box, and with it all others, in this instant."""
        assert self._process is not None
        os.kill(self._leader, signal.SIGKILL)
        self._process.wait(30)
        self._process, self._leader = None, 0
        for group in self._groups:
            for folder in (*sorted(group.rglob("*/"), reverse=True), group):
                with suppress(OSError):  # files that are no folders; a process that is not quite gone
                    folder.rmdir()

    def stop(self) -> None:
        """Pull the plug if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self.power_cut()


def _own_groups(name: str) -> list[Path]:
    """A control group for this box alone, in systemd's tree and in the unified one: nspawn makes none with --keep-unit,
    and two boxes in one group would stop each other's services.
    """
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        trees = {"name=systemd": [CGROUPS / "systemd"], "": [CGROUPS / "unified", CGROUPS]}
        tree = next((t for t in trees.get(controllers, []) if (t / "cgroup.procs").exists()), None)
        if tree is not None and (number == "0" or controllers):
            found.append(tree / path.lstrip("/") / name)
            found[-1].mkdir(exist_ok=True)
    return found


def _first_process(parent: int) -> int:
    """The child that is process 1 of its own namespace, or 0."""
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in task.read_text().split():
            try:
                status = Path(f"/proc/{child}/status").read_text()
                started = Path(f"/proc/{child}/comm").read_text().strip() == "systemd"
            except OSError:
                continue
            spaces = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()
            if started and len(spaces) > 2 and spaces[-1] == "1":
                return int(child)
    return 0
