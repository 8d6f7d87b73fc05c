"""The screen that asks for the card."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.shell.journey import BACK
from kiosk.shell.service import Shell
from kiosk.sign_in.journey import PLACE_CARD


def make_blueprint(shell: Shell) -> Blueprint:
    """Routes: /place-card, /place-card/back."""
    place_card, pages = Blueprint("place_card", __name__), shell.pages

    @place_card.get("/place-card")
    def show() -> str | Response:
        return pages.show(PLACE_CARD)

    @place_card.post("/place-card/back")
    def back() -> Response:
        if pages.claimed(PLACE_CARD):
            shell.desk.move(BACK)
        return pages.now()

    return place_card
