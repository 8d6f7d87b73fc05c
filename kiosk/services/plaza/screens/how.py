"""How a certificate is made, in pictures: one at a time."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, url_for
from werkzeug.wrappers import Response

from kiosk.services.plaza.journey import PLAZA_HOW
from kiosk.services.plaza.state import PICTURES
from kiosk.services.plaza.steps import turn
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell) -> Blueprint:
    """Routes: /plaza-how, /plaza-how/next, /plaza-how/back; the pictures under /plaza-how/pictures/."""
    how, pages = (
        Blueprint("plaza_how", __name__, static_folder="../static", static_url_path="/plaza-how/pictures"),
        shell.pages,
    )

    @how.get("/plaza-how")
    def show() -> str | Response:
        drawn = partial(url_for, "plaza_how.static")
        return pages.show(PLAZA_HOW, lambda _visit: {"pictures": PICTURES, "drawn": drawn})

    @how.post("/plaza-how/next")
    def onward() -> Response:
        if pages.claimed(PLAZA_HOW):
            turn(shell.desk, 1)
        return pages.now()

    @how.post("/plaza-how/back")
    def back() -> Response:
        if pages.claimed(PLAZA_HOW):
            turn(shell.desk, -1)
        return pages.now()

    return how
