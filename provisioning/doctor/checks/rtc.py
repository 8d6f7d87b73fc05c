"""The battery clock, by which the box knows the time when it starts without a network."""

from __future__ import annotations

from device.health import readers
from device.health.finding import Finding, absent, ok, warning
from provisioning.doctor.examined_box import ExaminedBox


def check(_box: ExaminedBox) -> list[Finding]:
    """Reads it."""
    return [judge(readers.rtc_off(), container=readers.container())]


def judge(off_seconds: int | None, *, container: str = "") -> Finding:
    """off_seconds: battery clock minus system clock; None without one. container: its kind, "" for a machine."""
    if off_seconds is None:
        return absent("rtc.of_host", container=container) if container else warning("rtc.missing")
    return warning("rtc.off", seconds=off_seconds) if abs(off_seconds) > 120 else ok("rtc.fine", seconds=off_seconds)
