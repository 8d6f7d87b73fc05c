"""Shows the whole order and its fee; the card signs it."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.services.certificates.journey import CONFIRM
from kiosk.services.certificates.order_steps import OrderSteps
from kiosk.services.certificates.screens.form_words import form_words
from kiosk.shell.journey import BACK
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell, order: OrderSteps) -> Blueprint:
    """Routes: /confirm, /confirm/confirm, /confirm/back."""
    confirm, pages = Blueprint("confirm", __name__), shell.pages

    @confirm.get("/confirm")
    def show() -> str | Response:
        return pages.show(CONFIRM, form_words)

    @confirm.post("/confirm/confirm")
    def confirmed() -> Response:
        if pages.claimed(CONFIRM):
            order.confirm()
        return pages.now()

    @confirm.post("/confirm/back")
    def back() -> Response:
        if pages.claimed(CONFIRM):
            shell.desk.move(BACK)
        return pages.now()

    return confirm
