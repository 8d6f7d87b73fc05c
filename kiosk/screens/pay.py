"""Takes the fee, by whichever terminal the kiosk has."""

from __future__ import annotations

import math

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kiosk.desk import Desk
from kiosk.journey import Screen
from kiosk.paper_steps import PaperSteps
from kiosk.payment.counter import CounterTerminal
from kiosk.payment.staff_code import CodeCheck, LockedOut, Wrong, staff_code_of
from kiosk.payment.terminal import PaymentTerminal
from kiosk.payment.virtual import VirtualTerminal
from kiosk.screens.pages import Pages


def make_blueprint(desk: Desk, pages: Pages, paper: PaperSteps, terminal: PaymentTerminal) -> Blueprint:
    """Routes: /pay, /pay/pay (virtual terminal), /pay/staff-code (counter)."""
    pay = Blueprint("pay", __name__)

    @pay.get("/pay")
    def show() -> str | Response:
        return pages.show(Screen.PAY, lambda _visit: {"method": terminal.method})

    @pay.post("/pay/pay")
    def paid() -> Response:
        if pages.claimed(Screen.PAY) and isinstance(terminal, VirtualTerminal):
            terminal.confirm()
            paper.poll_payment()
        return pages.now()

    @pay.post("/pay/staff-code")
    def staff_code() -> Response:
        if pages.claimed(Screen.PAY) and isinstance(terminal, CounterTerminal):
            answer = terminal.confirm(staff_code_of(request.form.get("code", "")), desk.visit.id)
            tell_code(desk, answer)
            paper.poll_payment()
        return pages.now()

    return pay


def tell_code(desk: Desk, answer: CodeCheck) -> None:
    """Say on the screen that a staff code was not taken."""
    if not desk.settings.staff_code_hash:
        desk.notice("staff_code_unset")
    elif isinstance(answer, Wrong) and not answer.seconds:
        desk.notice("staff_code_wrong")
    elif isinstance(answer, (Wrong, LockedOut)):
        desk.notice("staff_code_locked", seconds=math.ceil(answer.seconds))
