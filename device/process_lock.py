"""One process a state folder: a lock (flock(2)) that the kernel gives back when the process and its workers have ended,
however they ended.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from device.errors import HirobaError

WAIT_SECONDS = 3.0
"""Workers whose arbiter was killed notice it within a second or two; a start right after them waits for that."""
_LOOK_SECONDS = 0.05
LOCK_FILE = "process.lock"
"""In the process's own folder; it holds the pid of the last process that took it, and stays."""


class AlreadyRunning(HirobaError):
    """Another process works in that folder. facts: process, folder, pid (the other one's, or "-")."""

    code = "process.already_running"


def take_process_lock(folder: Path, process: str, mode: int = 0o700, *, wait: float = WAIT_SECONDS) -> int:
    """Lock ``folder``, made with ``mode`` when missing, for the life of this process and of those it forks; the open
    file, to be closed by nobody but tests. Raises AlreadyRunning after ``wait`` seconds, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=mode)
    number = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait
    while not _locked(number):
        if time.monotonic() > deadline:
            pid = os.pread(number, 20, 0).decode("ascii", "replace").strip()
            os.close(number)
            raise AlreadyRunning(process=process, folder=folder, pid=pid or "-")
        time.sleep(_LOOK_SECONDS)
    os.truncate(number, 0)
    os.pwrite(number, f"{os.getpid()}\n".encode(), 0)
    return number


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
