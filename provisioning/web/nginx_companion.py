"""Stands beside nginx, as its child: tells systemd that it answers, and has it read new credentials.

nginx knows no sd_notify(3). READY=1 and every WATCHDOG=1 follow an answer of its own event loop (``alive.sock``), so a
hung nginx, or a companion that died, is noticed by the unit's WatchdogSec. Run as ``python -m``, with few imports,
since it lives as long as nginx does.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence

from device.watchdog import Notifier, Probe, socket_probe

LOOK_SECONDS, FIRST_SECONDS = 5.0, 0.05
Seen = list[tuple[int, int] | None]


def stand_by(notifier: Notifier, probe: Probe, credentials: Sequence[str], nginx: int) -> None:
    """Until the process ``nginx`` is no longer our parent. Its SIGHUP keeps what it had when the new files do not fit
    together, so a certificate that comes before its key does no harm.
    """
    seen, told, pause = look(credentials), "READY=1", FIRST_SECONDS
    regular = min(LOOK_SECONDS, notifier.watchdog_seconds / 4 or LOOK_SECONDS)
    while os.getppid() == nginx:
        if probe() and notifier.tell(told):
            told = "WATCHDOG=1"
        now = look(credentials)
        if now != seen and None not in now:
            os.kill(nginx, signal.SIGHUP)
            seen = now
        time.sleep(pause)
        pause = min(pause * 2, regular)


def look(files: Sequence[str]) -> Seen:
    """(inode, time of change) of each; None for one that is not there."""
    return [_look(file) for file in files]


def _look(file: str) -> tuple[int, int] | None:
    try:
        facts = os.stat(file)  # noqa: PTH116  # pathlib is 1 MiB that this process need not carry
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns


if __name__ == "__main__":
    nginx, alive, address, watchdog_seconds, *files = sys.argv[1:]
    stand_by(Notifier(address, float(watchdog_seconds)), socket_probe(alive), files, int(nginx))
