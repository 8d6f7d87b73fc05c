"""A child of nginx: notifies systemd while nginx answers, and reloads nginx for new credentials.

nginx has no sd_notify(3). READY=1 and every WATCHDOG=1 follow an answer of its event loop (``alive.sock``), so the
unit's WatchdogSec notices a hung nginx or a dead companion. Run as ``python -m``, with few imports, since it runs as
long as nginx.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence

from device.watchdog import Notifier, Probe, socket_probe

POLL_SECONDS, FIRST_POLL_SECONDS = 5.0, 0.05
FileVersions = list[tuple[int, int] | None]


def watch(notifier: Notifier, probe: Probe, credentials: Sequence[str], nginx: int) -> None:
    """Until the process ``nginx`` is no longer the parent. On SIGHUP nginx keeps the old pair while certificate and key
    do not match.
    """
    seen, state, pause = versions(credentials), "READY=1", FIRST_POLL_SECONDS
    regular = min(POLL_SECONDS, notifier.watchdog_seconds / 4 or POLL_SECONDS)
    while os.getppid() == nginx:
        if probe() and notifier.tell(state):
            state = "WATCHDOG=1"
        now = versions(credentials)
        if now != seen and None not in now:
            os.kill(nginx, signal.SIGHUP)
            seen = now
        time.sleep(pause)
        pause = min(pause * 2, regular)


def versions(files: Sequence[str]) -> FileVersions:
    """(inode, modification time) of each; None for a missing file."""
    return [_version(file) for file in files]


def _version(file: str) -> tuple[int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116  # without pathlib, 1 MiB
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


if __name__ == "__main__":
    nginx, alive, address, watchdog_seconds, *files = sys.argv[1:]
    watch(Notifier(address, float(watchdog_seconds)), socket_probe(alive), files, int(nginx))
