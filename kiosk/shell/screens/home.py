"""The first screen: what the kiosk offers, in every language."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.shell.desk import Desk
from kiosk.shell.journey import Screen
from kiosk.shell.pages import Pages
from kiosk.shell.readiness import Readiness
from kiosk.sign_in.card_steps import CardSteps


def make_blueprint(desk: Desk, pages: Pages, readiness: Readiness, card: CardSteps) -> Blueprint:
    """Routes: /home, /home/start."""
    home = Blueprint("home", __name__)

    @home.get("/home")
    def show() -> str | Response:
        return pages.show(
            Screen.HOME,
            lambda _visit: {"settings": desk.settings, "blocking": readiness.latest, "card_there": card.card_there()},
        )

    @home.post("/home/start")
    def start() -> Response:
        if pages.claimed(Screen.HOME):
            _start(desk, readiness.latest)
        return pages.now()

    return home


def _start(desk: Desk, blocking: str | None) -> None:
    visit = desk.begin(Screen.HOME) if blocking else None
    if visit is not None and blocking:
        desk.trouble(visit, blocking)
    else:
        desk.start()
