"""The menu: what the kiosk offers, and what of it cannot be had now, with the reason."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.shell.journey import SERVICES
from kiosk.shell.menu import Menu
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell, menu: Menu) -> Blueprint:
    """Routes: /services, /services/NAME."""
    services, pages = Blueprint("services", __name__), shell.pages

    @services.get("/services")
    def show() -> str | Response:
        return pages.show(SERVICES, lambda _visit: {"entries": menu.entries()})

    @services.post("/services/<name>")
    def chosen(name: str) -> Response:
        if pages.claimed(SERVICES):
            menu.choose(name)
        return pages.now()

    return services
