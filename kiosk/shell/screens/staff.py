"""The staff's door: behind the staff code, the alarm and what waits for a decision."""

from __future__ import annotations

import math
from collections.abc import Callable

from flask import Blueprint, request
from werkzeug.wrappers import Response

from device.audit import AuditSink
from kiosk.shell.alarm import Alarm
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Screen
from kiosk.shell.pages import Pages
from kiosk.shell.readiness import Readiness
from kiosk.shell.staff_code import Accepted, CodeCheck, LockedOut, StaffCode, Wrong, staff_code_of


def make_blueprint(
    desk: Desk,
    pages: Pages,
    *,
    code: StaffCode,
    alarm: Alarm,
    open_matters: Callable[[], int],
    readiness: Readiness,
    audit: AuditSink,
) -> Blueprint:
    """Routes: /staff, /staff/enter, /staff/clear-alarm."""
    staff = Blueprint("staff", __name__)

    @staff.get("/staff")
    def show() -> str | Response:
        return pages.show(
            Screen.STAFF,
            lambda _visit: {"alarm": alarm.closed, "open_matters": open_matters(), "blocking": readiness.latest},
        )

    @staff.post("/staff/enter")
    def enter() -> Response:
        if pages.claimed(Screen.STAFF):
            answer = code.check(staff_code_of(request.form.get("code", "")))
            if isinstance(answer, Wrong):
                audit.record("staff_code_refused", visit="")
            tell_code(desk, answer)
            with desk.held() as visit:
                visit.staff = isinstance(answer, Accepted) and visit.step.screen is Screen.STAFF
        return pages.now()

    @staff.post("/staff/clear-alarm")
    def clear_alarm() -> Response:
        if pages.claimed(Screen.STAFF) and desk.visit.staff:
            alarm.clear()
        return pages.now()

    return staff


def tell_code(desk: Desk, answer: CodeCheck) -> None:
    """Say on the screen that a staff code was not taken."""
    if not desk.settings.staff_code_hash:
        desk.notice("staff_code_unset")
    elif isinstance(answer, Wrong) and not answer.seconds:
        desk.notice("staff_code_wrong")
    elif isinstance(answer, (Wrong, LockedOut)):
        desk.notice("staff_code_locked", seconds=math.ceil(answer.seconds))
