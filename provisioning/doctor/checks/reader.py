"""The card service and the card reader."""

from __future__ import annotations

from contextlib import closing

from device.card.drivers import open_reader
from device.health.finding import Finding, error, ok
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Asks pcscd."""
    with closing(open_reader(box.site.card)) as asked:
        return [judge(asked.presence().value)]


def judge(presence: str) -> Finding:
    """presence: value of device.card.presence.Presence."""
    if presence in ("empty", "present"):
        return ok("reader.ready")
    return error("reader.service_down") if presence == "no_service" else error("reader.missing")
