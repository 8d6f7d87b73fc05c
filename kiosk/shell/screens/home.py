"""The first screen: what the kiosk offers, in every language."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.shell.journey import HOME
from kiosk.shell.menu import Menu
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell, menu: Menu) -> Blueprint:
    """Routes: /home, /home/start."""
    home, pages = Blueprint("home", __name__), shell.pages

    @home.get("/home")
    def show() -> str | Response:
        settings = shell.desk.settings
        return pages.show(
            HOME, lambda _visit: {"settings": settings, "entries": menu.entries(), "card_there": shell.card_there()}
        )

    @home.post("/home/start")
    def start() -> Response:
        if pages.claimed(HOME):
            shell.desk.start()
        return pages.now()

    return home
