"""Asks a quiet visitor."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.shell.desk import Desk
from kiosk.shell.journey import Event, Screen
from kiosk.shell.pages import Pages


def make_blueprint(desk: Desk, pages: Pages) -> Blueprint:
    """Routes: /still-there, /still-there/stay."""
    still_there = Blueprint("still_there", __name__)

    @still_there.get("/still-there")
    def show() -> str | Response:
        return pages.show(Screen.STILL_THERE)

    @still_there.post("/still-there/stay")
    def stay() -> Response:
        if pages.claimed(Screen.STILL_THERE):
            desk.move(Event.STAY)
        return pages.now()

    return still_there
