"""What the figures were measured on: no name, no address, no path."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import msgspec
import psutil

CPUINFO = Path("/proc/cpuinfo")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """cores: that this process may use; load: the one-minute load average before the first run."""

    cores: int
    cpu: str
    architecture: str
    memory_mib: int
    kernel: str
    system: str
    python: str
    load: float


def describe() -> Machine:
    """This machine, now."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        cpu=cpu_name(CPUINFO.read_text("utf-8", "replace")),
        architecture=platform.machine(),
        memory_mib=psutil.virtual_memory().total // 2**20,
        kernel=platform.release(),
        system=platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
    )


def cpu_name(cpuinfo: str) -> str:
    """The model in the text of /proc/cpuinfo: x86 says "model name", a Raspberry Pi "Model"."""
    facts = dict(line.split(":", 1) for line in cpuinfo.splitlines() if ":" in line)
    named = {name.strip().lower(): value.strip() for name, value in facts.items()}
    return named.get("model name") or named.get("model") or "unknown"
