"""The board's own watchdog, for a machine that has frozen as a whole; systemd has to arm it."""

from __future__ import annotations

from device.health import readers
from device.health.finding import Finding, absent, ok, warning
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Asks systemd; nothing is said where there is none."""
    if box.units is None:
        return []
    there, pinged = readers.watchdog()
    return [judge(there, pinged, container=readers.container())]


def judge(there: bool, pinged: bool, *, container: str = "") -> Finding:
    """there: the kernel knows one; pinged: systemd has armed it and pings it (RuntimeWatchdogSec=). container: its
    kind, "" for a machine of its own.
    """
    if container:
        return absent("watchdog.of_host", container=container)
    if not there:
        return warning("watchdog.missing")
    return ok("watchdog.armed") if pinged else warning("watchdog.not_armed")
