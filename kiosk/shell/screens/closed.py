"""Outside the hours, or stopped by an alarm."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.shell.alarm import Alarm
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Screen
from kiosk.shell.pages import Pages


def make_blueprint(desk: Desk, pages: Pages, alarm: Alarm) -> Blueprint:
    """Route: /closed."""
    closed = Blueprint("closed", __name__)

    @closed.get("/closed")
    def show() -> str | Response:
        return pages.show(Screen.CLOSED, lambda _visit: {"settings": desk.settings, "alarm": alarm.closed})

    return closed
