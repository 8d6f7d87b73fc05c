"""Whether a stick, an adapter or a keyboard that a visitor plugs in is kept out."""

from __future__ import annotations

import subprocess

from device.health.finding import Finding, ok, warning
from provisioning.doctor.examined_box import ExaminedBox

UNIT = "usbguard.service"


def check(box: ExaminedBox) -> list[Finding]:
    """Asks systemd; nothing is said where there is none (the demo)."""
    if box.units is None:
        return []
    asked = subprocess.run(["systemctl", "is-active", "--quiet", UNIT], check=False)
    return [judge(wanted=box.site.usb.guard, active=asked.returncode == 0)]


def judge(*, wanted: bool, active: bool) -> Finding:
    """wanted: ``[usb] guard`` of the site file; active: usbguard runs."""
    if not wanted:
        return warning("usb.open")
    return ok("usb.guarded") if active else warning("usb.guard_missing")
