"""City hall's database for the demo: a staff account, and enrolled boxes with their heartbeats."""

from __future__ import annotations

import secrets
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from device.clock import HeldClock
from device.logs import open_log
from device.outbox import Fact
from device.version import version
from provisioning.cityhall.boxes.enrolment import Refused
from provisioning.cityhall.boxes.intake import Batch, Envelope
from provisioning.cityhall.settings import CityHallSettings
from provisioning.cityhall.wiring import CityHallService, build_cityhall, prepare
from provisioning.enrolment.identity import Identity

STAFF = "見本"
SECOND_PERSON = "見本二"
"""Approves what the first asked for."""
_ONE_WEEK = 7 * 86400
_BOXES: dict[str, tuple[timedelta, dict[str, Fact]]] = {
    "mihon-hall-1": (timedelta(0), {"findings": [], "receipt_paper": "ready", "page_paper": "ready"}),
    "mihon-library-1": (timedelta(0), {"findings": [], "receipt_paper": "ready", "page_paper": "paper_out"}),
    "mihon-station-1": (timedelta(days=2), {"findings": [], "receipt_paper": "ready", "page_paper": "ready"}),
    "mihon-east-1": (timedelta(0), {"findings": ["disk.nearly_full"], "receipt_paper": "paper_low"}),
}
"""Box -> the age of its last heartbeat, and its facts besides the version."""


def fill(settings: CityHallSettings, state: Path, now: datetime) -> str:
    """Make the staff account and the boxes that are missing, and a heartbeat of every box; the account's password, made
    at the first start and kept below ``state``.
    """
    clock = HeldClock(now)
    prepare(settings, state, clock)
    service = build_cityhall(settings, state, clock, open_log("demo"))
    password = _password(state, service)
    known = {box.name for box in service.records.boxes()}
    for name, (ago, facts) in _BOXES.items():
        if name not in known:
            _enrol(service, name, now, settings.code_days)
        _send_heartbeat(HeldClock(now - ago), settings, state, name, facts)
    service.database.close()
    return password


def _password(state: Path, service: CityHallService) -> str:
    file = state / "staff-password"
    if not file.exists():
        file.touch(0o600)
        file.write_text(secrets.token_hex(6), "ascii")
    password = file.read_text("ascii")
    if STAFF not in {account.name for account in service.staff.accounts()}:
        service.staff.set_password(STAFF, password)
    return password


def _enrol(service: CityHallService, box: str, now: datetime, days: int) -> None:
    """By the code that a real box and staff use; the box's key is deleted."""
    code = service.records.new_code(box, STAFF, int(now.timestamp()), days)
    with tempfile.TemporaryDirectory() as folder:
        application = service.enrolments.ask(code, Identity(Path(folder)).request(box))
    if not isinstance(application, Refused):
        service.enrolments.approve(application.id, SECOND_PERSON)


def _send_heartbeat(
    clock: HeldClock, settings: CityHallSettings, state: Path, box: str, facts: dict[str, Fact]
) -> None:
    service = build_cityhall(settings, state, clock, open_log("demo"))
    at = int(clock.now().timestamp())
    message: dict[str, Fact] = {"version": version(), "uptime_s": _ONE_WEEK, "kiosk_open": True, **facts}
    service.intake.take(box, Batch(at, [Envelope(uuid4(), "heartbeat", at, 1, message)]))
    service.database.close()
