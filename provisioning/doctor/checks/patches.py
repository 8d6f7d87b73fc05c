"""How old the operating system's packages are: Debian stable has security updates for a box every few days."""

from __future__ import annotations

from device.health import readers
from device.health.finding import Finding, absent, ok, warning
from provisioning.doctor.examined_box import ExaminedBox

OLD_DAYS = 30


def check(_box: ExaminedBox) -> list[Finding]:
    """Looks when a package was last replaced."""
    return [judge(readers.packages_changed_days())]


def judge(days: int | None) -> Finding:
    """days: since any package was put in or replaced; None where the system is no Debian."""
    if days is None:
        return absent("patches.of_other_system")
    return warning("patches.old", days=days) if days > OLD_DAYS else ok("patches.fine", days=days)
