"""The overview: hours, what can be done now and what not, whom to call."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from device.catalogue import name_in
from kiosk.services.plaza.journey import HOW_CHOSEN, PLAZA, WIFI_CHOSEN
from kiosk.shell.journey import BACK, Event
from kiosk.shell.service import Shell
from kiosk.shell.visit import Visit


def make_blueprint(shell: Shell) -> Blueprint:
    """Routes: /plaza, /plaza/wifi, /plaza/how, /plaza/back."""
    overview, pages = Blueprint("plaza", __name__), shell.pages

    @overview.get("/plaza")
    def show() -> str | Response:
        return pages.show(PLAZA, lambda visit: _facts(shell, visit))

    @overview.post("/plaza/<action>")
    def moved(action: str) -> Response:
        event = ACTIONS.get(action)
        if event is not None and pages.claimed(PLAZA):
            shell.desk.move(event)
        return pages.now()

    return overview


GUIDED = "certificates"
"""The service whose use the pictures show; without it there is nothing to show."""
ACTIONS: dict[str, Event] = {"wifi": WIFI_CHOSEN, "how": HOW_CHOSEN, "back": BACK}


def _facts(shell: Shell, visit: Visit) -> dict[str, object]:
    place = shell.ports.place
    names = [name for name in shell.desk.journey.services if name != visit.step.service]
    return {
        "place": name_in(visit.language, place.name_ja, place.name_en),
        "settings": shell.ports.settings,
        "others": [(name, shell.readiness.blocking(name)) for name in names],
        "networks": place.networks,
        "guided": GUIDED in names,
    }
