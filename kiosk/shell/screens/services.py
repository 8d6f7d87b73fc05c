"""What the kiosk can do."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.services.certificates.paper_steps import Spawn
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Event, Screen
from kiosk.shell.pages import Pages
from kiosk.sign_in.card_steps import CardSteps


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
