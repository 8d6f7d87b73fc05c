"""Memory and CPU of process trees, read from /proc by psutil; ended by pid."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Sequence

import psutil


def tree(pids: Sequence[int]) -> list[psutil.Process]:
    """These processes and all below them that live."""
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(pid)
            found |= {process.pid: process for process in (top, *top.children(recursive=True))}
    return list(found.values())


def pss_mib(pids: Sequence[int]) -> float:
    """Proportional set size of the trees in MiB: shared pages are counted once, divided among those who share them."""
    return sum(float(process.memory_full_info().pss) for process in tree(pids)) / 2**20


def cpu_seconds(pids: Sequence[int]) -> float:
    """CPU seconds the trees have used, those of their ended children included."""
    return sum(float(sum(process.cpu_times()[:4])) for process in tree(pids))


def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """SIGTERM in reverse order, SIGKILL after ten seconds."""
    for process in reversed(processes):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
