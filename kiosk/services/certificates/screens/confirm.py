"""Shows the whole order and its fee; the card signs it."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.services.certificates.order_steps import OrderSteps
from kiosk.services.certificates.screens.form_words import form_words
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Event, Screen
from kiosk.shell.pages import Pages


def make_blueprint(desk: Desk, pages: Pages, order: OrderSteps) -> Blueprint:
    """Routes: /confirm, /confirm/confirm, /confirm/back."""
    confirm = Blueprint("confirm", __name__)

    @confirm.get("/confirm")
    def show() -> str | Response:
        return pages.show(Screen.CONFIRM, form_words)

    @confirm.post("/confirm/confirm")
    def confirmed() -> Response:
        if pages.claimed(Screen.CONFIRM):
            order.confirm()
        return pages.now()

    @confirm.post("/confirm/back")
    def back() -> Response:
        if pages.claimed(Screen.CONFIRM):
            desk.move(Event.BACK)
        return pages.now()

    return confirm
