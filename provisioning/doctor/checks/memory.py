"""Memory that programs can still get."""

from __future__ import annotations

from device.health import readers
from device.health.finding import Finding, ok, warning
from provisioning.doctor.examined_box import ExaminedBox


def check(_box: ExaminedBox) -> list[Finding]:
    """Reads /proc/meminfo."""
    return [judge(*readers.memory())]


def judge(available: int, total: int) -> Finding:
    """Bytes."""
    percent = 100 * available // max(1, total)
    return warning("memory.low", free_percent=percent) if percent < 8 else ok("memory.fine", free_percent=percent)
