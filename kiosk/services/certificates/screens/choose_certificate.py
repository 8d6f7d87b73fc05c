"""The screen that offers the kinds of certificate."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.services.certificates.journey import CHOOSE_CERTIFICATE
from kiosk.services.certificates.order_steps import OrderSteps
from kiosk.services.certificates.screens.form_words import form_words
from kiosk.shell.pages import Pages


def make_blueprint(pages: Pages, order: OrderSteps) -> Blueprint:
    """Routes: /choose-certificate, /choose-certificate/choose-KIND."""
    choose_certificate = Blueprint("choose_certificate", __name__)

    @choose_certificate.get("/choose-certificate")
    def show() -> str | Response:
        return pages.show(CHOOSE_CERTIFICATE, form_words)

    @choose_certificate.post("/choose-certificate/choose-<kind>")
    def choose(kind: str) -> Response:
        if pages.claimed(CHOOSE_CERTIFICATE):
            order.choose(kind)
        return pages.now()

    return choose_certificate
