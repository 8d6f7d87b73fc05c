"""Whom it is for, what it shows, how many."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kiosk.services.certificates.journey import CHOOSE_OPTIONS
from kiosk.services.certificates.order_steps import OrderSteps
from kiosk.services.certificates.screens.form_words import form_words
from kiosk.shell.journey import BACK
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell, order: OrderSteps) -> Blueprint:
    """Routes: /choose-options, /choose-options/next, /choose-options/back."""
    choose_options, pages = Blueprint("choose_options", __name__), shell.pages

    @choose_options.get("/choose-options")
    def show() -> str | Response:
        return pages.show(CHOOSE_OPTIONS, form_words)

    @choose_options.post("/choose-options/next")
    def chosen() -> Response:
        if pages.claimed(CHOOSE_OPTIONS):
            order.choose_options(request.form)
        return pages.now()

    @choose_options.post("/choose-options/back")
    def back() -> Response:
        if pages.claimed(CHOOSE_OPTIONS):
            shell.desk.move(BACK)
        return pages.now()

    return choose_options
