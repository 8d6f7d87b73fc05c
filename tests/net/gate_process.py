"""Runs the gate in the namespace it is started in: ``python gate_process.py SITE.toml STATE``.

SIGUSR1 lets 48 seconds pass on both clocks; SIGUSR2 sets the wall clock ten days ahead, as a late NTP answer does.
"""

from __future__ import annotations

import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

from captive_portal.settings import WifiSettings
from captive_portal.wiring_gate import run
from device.clock import SystemClock
from device.logs import open_log
from device.settings import Section, read


class Site(Section, frozen=True, kw_only=True):
    """A site file with Wi-Fi alone."""

    wifi: WifiSettings


class PushedClock:
    """The system's clocks, pushed ahead by signals."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self._ahead = 0.0
        self._stepped = timedelta()

    def now(self) -> datetime:
        """See Clock."""
        return self._system.now() + timedelta(seconds=self._ahead) + self._stepped

    def monotonic(self) -> float:
        """See Clock."""
        return self._system.monotonic() + self._ahead

    def push(self, *_: object) -> None:
        """Let 48 seconds pass."""
        self._ahead += 48.0

    def step(self, *_: object) -> None:
        """Ten days ahead on the wall."""
        self._stepped += timedelta(days=10)


def main() -> None:
    clock = PushedClock()
    signal.signal(signal.SIGUSR1, clock.push)
    signal.signal(signal.SIGUSR2, clock.step)
    run(read(Path(sys.argv[1]), Site).wifi, Path(sys.argv[2]), clock, open_log("gate"))


if __name__ == "__main__":
    main()
