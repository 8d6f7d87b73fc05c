"""Draws the form of the kind that was chosen, and asks how many copies."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kiosk.services.certificates.order_steps import OrderSteps
from kiosk.services.certificates.screens.form_words import form_words
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Event, Screen
from kiosk.shell.pages import Pages


def make_blueprint(desk: Desk, pages: Pages, order: OrderSteps) -> Blueprint:
    """Routes: /choose-options, /choose-options/next, /choose-options/back."""
    choose_options = Blueprint("choose_options", __name__)

    @choose_options.get("/choose-options")
    def show() -> str | Response:
        return pages.show(Screen.CHOOSE_OPTIONS, form_words)

    @choose_options.post("/choose-options/next")
    def chosen() -> Response:
        if pages.claimed(Screen.CHOOSE_OPTIONS):
            order.choose_options(request.form)
        return pages.now()

    @choose_options.post("/choose-options/back")
    def back() -> Response:
        if pages.claimed(Screen.CHOOSE_OPTIONS):
            desk.move(Event.BACK)
        return pages.now()

    return choose_options
