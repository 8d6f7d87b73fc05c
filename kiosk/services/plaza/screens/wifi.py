"""How a phone joins the plaza's Wi-Fi."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.services.plaza.journey import PLAZA_WIFI
from kiosk.services.plaza.wifi_code import picture_of, wifi_uri
from kiosk.shell.journey import BACK
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell) -> Blueprint:
    """Routes: /plaza-wifi, /plaza-wifi/back."""
    wifi, pages = Blueprint("plaza_wifi", __name__), shell.pages
    networks = shell.ports.place.networks

    @wifi.get("/plaza-wifi")
    def show() -> str | Response:
        coded = [(known, picture_of(wifi_uri(known.ssid)) if known.free else None) for known in networks]
        return pages.show(PLAZA_WIFI, lambda _visit: {"networks": coded})

    @wifi.post("/plaza-wifi/back")
    def back() -> Response:
        if pages.claimed(PLAZA_WIFI):
            shell.desk.move(BACK)
        return pages.now()

    return wifi
