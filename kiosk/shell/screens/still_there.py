"""Asks a quiet visitor whether the visit goes on."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.shell.journey import STAY, STILL_THERE
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell) -> Blueprint:
    """Routes: /still-there, /still-there/stay."""
    still_there, pages = Blueprint("still_there", __name__), shell.pages

    @still_there.get("/still-there")
    def show() -> str | Response:
        return pages.show(STILL_THERE)

    @still_there.post("/still-there/stay")
    def stay() -> Response:
        if pages.claimed(STILL_THERE):
            shell.desk.move(STAY)
        return pages.now()

    return still_there
