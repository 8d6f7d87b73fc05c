"""Takes the fee, by whichever terminal the kiosk has."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kiosk.services.certificates.journey import PAY
from kiosk.services.certificates.paper_steps import PaperSteps
from kiosk.services.certificates.payment.counter import CounterTerminal
from kiosk.services.certificates.payment.terminal import PaymentTerminal
from kiosk.services.certificates.payment.virtual import VirtualTerminal
from kiosk.shell.screens.staff import tell_code
from kiosk.shell.service import Shell
from kiosk.shell.staff_code import staff_code_of


def make_blueprint(shell: Shell, paper: PaperSteps, terminal: PaymentTerminal) -> Blueprint:
    """Routes: /pay, /pay/pay (virtual terminal), /pay/staff-code (counter)."""
    pay, pages = Blueprint("pay", __name__), shell.pages

    @pay.get("/pay")
    def show() -> str | Response:
        return pages.show(PAY, lambda _visit: {"method": terminal.method})

    @pay.post("/pay/pay")
    def paid() -> Response:
        if pages.claimed(PAY) and isinstance(terminal, VirtualTerminal):
            terminal.confirm()
            paper.poll_payment()
        return pages.now()

    @pay.post("/pay/staff-code")
    def staff_code() -> Response:
        if pages.claimed(PAY) and isinstance(terminal, CounterTerminal):
            answer = terminal.confirm(staff_code_of(request.form.get("code", "")), shell.desk.visit.id)
            tell_code(shell.desk, answer)
            paper.poll_payment()
        return pages.now()

    return pay
