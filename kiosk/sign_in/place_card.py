"""The screen that asks for the card."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.shell.desk import Desk
from kiosk.shell.journey import Event, Screen
from kiosk.shell.pages import Pages


def make_blueprint(desk: Desk, pages: Pages) -> Blueprint:
    """Routes: /place-card, /place-card/back."""
    place_card = Blueprint("place_card", __name__)

    @place_card.get("/place-card")
    def show() -> str | Response:
        return pages.show(Screen.PLACE_CARD)

    @place_card.post("/place-card/back")
    def back() -> Response:
        if pages.claimed(Screen.PLACE_CARD):
            desk.move(Event.BACK)
        return pages.now()

    return place_card
