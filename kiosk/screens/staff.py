"""The staff's door: behind the staff code, the alarm and what waits for a decision."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, request
from werkzeug.wrappers import Response

from device.audit import AuditSink
from kiosk.desk import Desk
from kiosk.issuance.alarm import Alarm
from kiosk.journey import Screen
from kiosk.payment.staff_code import Accepted, StaffCode, Wrong, staff_code_of
from kiosk.readiness import Readiness
from kiosk.screens.pages import Pages
from kiosk.screens.pay import tell_code


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
