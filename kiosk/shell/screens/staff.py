"""The staff's door: behind the staff code, the state of each service, the alarm and what waits for a decision."""

from __future__ import annotations

import math

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kiosk.shell.desk import Desk
from kiosk.shell.journey import STAFF
from kiosk.shell.menu import Menu
from kiosk.shell.service import Shell
from kiosk.shell.staff_code import Accepted, CodeCheck, LockedOut, StaffCode, WrongCode, facts_of, staff_code_of
from kiosk.shell.wrong_codes import Place


def make_blueprint(shell: Shell, menu: Menu) -> Blueprint:
    """Routes: /staff, /staff/enter, /staff/clear-alarm."""
    staff, pages, staff_code = Blueprint("staff", __name__), shell.pages, shell.staff_code(Place.STAFF_SCREEN)

    @staff.get("/staff")
    def show() -> str | Response:
        return pages.show(
            STAFF,
            lambda _visit: {
                "alarm": shell.alarm.closed,
                "open_matters": menu.open_matters(),
                "entries": menu.entries(),
            },
        )

    @staff.post("/staff/enter")
    def enter() -> Response:
        if pages.claimed(STAFF):
            _enter(shell, staff_code, request.form.get("code", ""))
        return pages.now()

    @staff.post("/staff/clear-alarm")
    def clear_alarm() -> Response:
        if pages.claimed(STAFF) and shell.desk.visit.staff:
            shell.alarm.clear()
        return pages.now()

    return staff


def _enter(shell: Shell, staff_code: StaffCode, typed: str) -> None:
    shell.desk.personal = True  # the code was in this process's memory
    answer = staff_code.check(staff_code_of(typed))
    if isinstance(answer, WrongCode):
        shell.audit.record("staff_code_refused", visit="", **facts_of(answer, staff_code))
    tell_code(shell.desk, answer)
    with shell.desk.held() as visit:
        visit.staff = isinstance(answer, Accepted) and visit.step.screen is STAFF


def tell_code(desk: Desk, answer: CodeCheck) -> None:
    """Say on the screen that a staff code was not taken."""
    if not desk.settings.staff_code_hash:
        desk.tell("staff_code_unset")
    elif isinstance(answer, WrongCode) and not answer.seconds:
        desk.tell("staff_code_wrong")
    elif isinstance(answer, (WrongCode, LockedOut)):
        desk.tell("staff_code_locked", seconds=math.ceil(answer.seconds))
