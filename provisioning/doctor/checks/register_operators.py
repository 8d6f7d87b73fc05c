"""Whether two people can work on the register: what needs a second person cannot be done without."""

from __future__ import annotations

from device.health.finding import Finding, ok, warning
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Counts [[issuer.operators]]."""
    return [judge(len(box.site.issuer.operators) if box.site.issuer else 0)]


def judge(operators: int) -> Finding:
    """operators: how many are named with a code of their own."""
    return ok("register.operators", count=operators) if operators > 1 else warning("register.no_second_person")
