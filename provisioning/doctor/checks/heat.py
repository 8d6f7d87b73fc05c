"""The processor's temperature. A Raspberry Pi slows down from 80 °C and stops at 85 °C."""

from __future__ import annotations

from device.health import readers
from device.health.finding import Finding, absent, error, ok, warning
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Reads the hottest sensor."""
    return [judge(readers.temperature(), board_tells=box.is_raspberry_pi)]


def judge(celsius: float | None, *, board_tells: bool = False) -> Finding:
    """board_tells: this board is one that can say it, so that silence is a fault."""
    if celsius is None:
        return warning("heat.silent") if board_tells else absent("heat.unknown")
    seen = round(celsius, 1)
    if celsius >= 85:
        return error("heat.too_hot", celsius=seen)
    return warning("heat.hot", celsius=seen) if celsius >= 75 else ok("heat.fine", celsius=seen)
