"""What the kiosk can do."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.card_steps import CardSteps
from kiosk.desk import Desk
from kiosk.journey import Event, Screen
from kiosk.paper_steps import Spawn
from kiosk.screens.pages import Pages


def make_blueprint(desk: Desk, pages: Pages, card: CardSteps, spawn: Spawn) -> Blueprint:
    """Routes: /services, /services/certificates."""
    services = Blueprint("services", __name__)

    @services.get("/services")
    def show() -> str | Response:
        return pages.show(Screen.SERVICES)

    @services.post("/services/certificates")
    def certificates() -> Response:
        if pages.claimed(Screen.SERVICES) and desk.move(Event.SERVICE_CHOSEN) and card.card_there():
            spawn("card", card.read)
        return pages.now()

    return services
