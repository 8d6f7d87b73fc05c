"""Under-voltage and throttling, as a Raspberry Pi's firmware tells them."""

from __future__ import annotations

from device.health import readers
from device.health.finding import Finding, absent, error, ok, warning
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Asks the firmware."""
    return [judge(readers.throttled(), board_tells=box.is_raspberry_pi)]


def judge(throttled: int | None, *, board_tells: bool = False) -> Finding:
    """throttled: the flags of get_throttled: bit 0 under-voltage now, 1-3 slowed now, 16-19 the same since boot.
    board_tells: this board is one that can say it, so that silence is a fault.
    """
    if throttled is None:
        return warning("power.silent") if board_tells else absent("power.unknown")
    if throttled & 0x1:
        return error("power.under_voltage_now")
    if throttled & 0x10000:
        return warning("power.under_voltage_before")
    return warning("power.throttled") if throttled & 0xE000E else ok("power.steady")
