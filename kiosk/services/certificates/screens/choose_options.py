"""Whom it is for, what it shows, how many."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kiosk.issuer.protocol import Options
from kiosk.services.certificates.journey import CHOOSE_OPTIONS
from kiosk.services.certificates.order_steps import OrderSteps
from kiosk.shell.journey import BACK
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell, order: OrderSteps) -> Blueprint:
    """Routes: /choose-options, /choose-options/next, /choose-options/back."""
    choose_options, pages = Blueprint("choose_options", __name__), shell.pages

    @choose_options.get("/choose-options")
    def show() -> str | Response:
        return pages.show(CHOOSE_OPTIONS)

    @choose_options.post("/choose-options/next")
    def chosen() -> Response:
        if pages.claimed(CHOOSE_OPTIONS):
            form = request.form
            options = Options(relationship="relationship" in form, registered_domicile="registered_domicile" in form)
            copies = form.get("copies", 1, type=int)
            order.choose_options(form.get("who", "self"), form.getlist("person"), options, copies)
        return pages.now()

    @choose_options.post("/choose-options/back")
    def back() -> Response:
        if pages.claimed(CHOOSE_OPTIONS):
            shell.desk.move(BACK)
        return pages.now()

    return choose_options
