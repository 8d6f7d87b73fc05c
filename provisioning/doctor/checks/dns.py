"""Whether the first name server answers."""

from __future__ import annotations

from device.health import readers
from device.health.finding import Finding, error, ok
from provisioning.doctor.examined_box import ExaminedBox


def check(_box: ExaminedBox) -> list[Finding]:
    """Asks the first resolver of resolv.conf."""
    return [judge(readers.dns_answers(readers.resolver()))]


def judge(answered: bool | None) -> Finding:
    """answered: None when resolv.conf names no resolver."""
    if answered is None:
        return error("dns.none_set")
    return ok("dns.answers") if answered else error("dns.silent")
