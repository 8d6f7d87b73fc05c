"""Outside the hours, or stopped by an alarm."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.desk import Desk
from kiosk.issuance.alarm import Alarm
from kiosk.journey import Screen
from kiosk.screens.pages import Pages


def make_blueprint(desk: Desk, pages: Pages, alarm: Alarm) -> Blueprint:
    """Route: /closed."""
    closed = Blueprint("closed", __name__)

    @closed.get("/closed")
    def show() -> str | Response:
        return pages.show(Screen.CLOSED, lambda _visit: {"settings": desk.settings, "alarm": alarm.closed})

    return closed
