"""The plaza's own pages as a service of the kiosk."""

from __future__ import annotations

from kiosk.services.plaza.journey import JOURNEY
from kiosk.services.plaza.screens import how, overview, wifi
from kiosk.services.plaza.state import PlazaVisit
from kiosk.shell.service import Running, Service, Shell


def _build(shell: Shell) -> Running:
    return Running(
        blueprints=(overview.make_blueprint(shell), wifi.make_blueprint(shell), how.make_blueprint(shell)),
        visit=PlazaVisit,
    )


SERVICE = Service(name="plaza", icon="plaza", package=__package__ or "", journey=JOURNEY, build=_build)
