"""The handbook's steps, and the machines they are run on.

A page of the handbook holds, in the order of reading:

    ```sh MACHINE          a step that a reader types on that machine; run as it stands, in the folder ~/city
    ```console             a step that needs hardware, systemd or another network; never run, the text says why
    <!-- 試験 MACHINE … -->  what stands in for such a step here; no reader sees it

A machine is a mount namespace with its own /etc, /var/lib, /media, /opt, /usr/local; one network namespace holds all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
OWN = ("/etc", "/var/lib", "/media", "/opt", "/usr/local", "/root")
_STEP = re.compile(
    r"^```sh (?P<typed>\S+)\n(?P<lines>.*?)^```$"
    r"|^<!-- 試験 (?P<instead>\S+)\n(?P<hidden>.*?)^-->$",
    re.DOTALL | re.MULTILINE,
)
HOSTS = "127.0.0.1 localhost cityhall.mihon.example.jp\n"
SECONDS = 240


class Step(NamedTuple):
    """page and line say where it stands; typed: by the reader, else by the test in place of something."""

    page: str
    line: int
    machine: str
    script: str
    typed: bool


def steps(page: Path) -> list[Step]:
    """Every step of a page, in its order."""
    text = page.read_text("utf-8")
    return [
        Step(
            page.name,
            text.count("\n", 0, found.start()) + 1,
            found["typed"] or found["instead"],
            found["lines"] or found["hidden"],
            bool(found["typed"]),
        )
        for found in _STEP.finditer(text)
    ]


class Machine:
    """One computer of the handbook, held by a sleeping process."""

    def __init__(self, name: str, space: str, folder: Path) -> None:
        self.name, self._folder = name, folder
        folder.mkdir()
        self._home = folder / "home"
        hold = ["ip", "netns", "exec", space, "unshare", "--mount", "--propagation", "private"]
        self._holder = subprocess.Popen(
            [*hold, "bash", "-euc", self._build()], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"

    def _build(self) -> str:
        mounts = [f"mount -t tmpfs none {self._folder}", f"mkdir -p {self._home}/city"]
        for own in OWN:
            upper, work = f"{self._folder}/upper{own}", f"{self._folder}/work{own}"
            mounts.append(f"mkdir -p {upper} {work}")
            mounts.append(f"mount -t overlay none -o lowerdir={own},upperdir={upper},workdir={work} {own}")
        programs = {"hiroba": f'{Path(sys.executable).parent}/hiroba "$@"', "python": f'{sys.executable} "$@"'}
        laid = [
            f"printf '#!/bin/sh\\nexec %s\\n' '{words}' > /usr/local/bin/{name}; chmod +x /usr/local/bin/{name}"
            for name, words in programs.items()
        ]
        return "\n".join([*mounts, *laid, f"printf '{HOSTS}' > /etc/hosts", "echo ready", "exec sleep infinity"])

    def run(self, step: Step) -> str:
        """What the step said. Raises AssertionError with the place, the script and all that was said."""
        inside = ["nsenter", "--target", str(self._holder.pid), "--mount", "--net"]
        path = f"/usr/local/bin:{os.environ['PATH']}:/usr/sbin:/sbin"
        about = {
            "HOME": str(self._home),
            "PATH": path,
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "STICK": str(self._folder.parent),  # what people carry from one machine to another
        }
        said = self._folder.with_suffix(".said")
        with said.open("w+") as out:
            script = f"cd {self._home}/city\n{step.script}"
            done = subprocess.run(
                [*inside, "bash", "-euo", "pipefail", "-c", script],
                check=False, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=SECONDS, env=about,
                start_new_session=True,
            )  # fmt: skip
        told = said.read_text("utf-8", "replace")
        assert done.returncode == 0, f"{step.page}:{step.line} ({self.name})\n{step.script}\n{told}"
        return told

    def close(self) -> None:
        """End every process that a step left running here, then the machine."""
        here = _space(self._holder.pid)
        for _ in range(100):
            left = [pid for pid in _everyone() if _space(pid) == here and pid != self._holder.pid]
            for pid in left:
                _end(pid)
            if not left:
                break
            time.sleep(0.1)
        self._holder.kill()
        self._holder.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)


def _everyone() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _space(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/mnt").readlink())
    except OSError:
        return ""


def _end(pid: int) -> None:
    try:
        os.kill(pid, 15)
    except ProcessLookupError:
        return
