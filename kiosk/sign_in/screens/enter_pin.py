"""Asks for the PIN. It passes through here in a POST body, once, and is kept nowhere (N3)."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from device.secrets import overwrite
from kiosk.shell.pages import Pages
from kiosk.sign_in.journey import ENTER_PIN
from kiosk.sign_in.steps import SignInSteps


def make_blueprint(pages: Pages, steps: SignInSteps) -> Blueprint:
    """Routes: /enter-pin, /enter-pin/enter."""
    enter_pin = Blueprint("enter_pin", __name__)

    @enter_pin.get("/enter-pin")
    def show() -> str | Response:
        return pages.show(ENTER_PIN)

    @enter_pin.post("/enter-pin/enter")
    def enter() -> Response:
        typed = request.form.get("pin", "")
        try:
            if pages.claimed(ENTER_PIN):
                steps.enter_pin(typed)
        finally:
            overwrite(typed)  # the form's own text; the process that read it ends after the visit
        return pages.now()

    return enter_pin
