"""Whether the kiosk's screen answers, and whether an alarm or open matters wait for staff."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from device.health.finding import Finding, error, ok, warning
from device.store_reading import connect_for_reading
from device.watchdog import http_probe
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Asks the kiosk over loopback, and looks into its journal."""
    settings = box.site.kiosk
    answers = http_probe(settings.host, settings.port, "/state")()
    coded = settings.terminal != "counter" or bool(settings.staff_code_hash)
    file = box.state / "kiosk" / "kiosk.db"
    if not file.exists():
        return judge(answers=answers, staff_code_set=coded)
    alarms = _count(file, "SELECT count(*) FROM alarm WHERE cleared_at IS NULL")
    unknown = _count(file, "SELECT count(*) FROM request WHERE state = 'unknown'")
    return judge(answers=answers, staff_code_set=coded, alarms=alarms, unknown=unknown)


def judge(*, answers: bool, staff_code_set: bool, alarms: int = 0, unknown: int = 0) -> list[Finding]:
    """staff_code_set: or none is needed. alarms: not cleared; unknown: requests whose outcome nobody knows."""
    found = [ok("kiosk.answers") if answers else error("kiosk.silent")]
    found += [] if staff_code_set else [error("kiosk.no_staff_code")]
    found += [error("kiosk.closed_by_alarm", count=alarms)] if alarms else []
    return found + ([warning("kiosk.open_matters", count=unknown)] if unknown else [])


def _count(file: Path, sql: str) -> int:
    with closing(connect_for_reading(file)) as database:
        return int(database.execute(sql).fetchone()[0])
