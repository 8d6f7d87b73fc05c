"""The opinion as a service of the kiosk."""

from __future__ import annotations

from kiosk.shell.screens import plain
from kiosk.shell.service import Running, Service, Shell

from .journey import JOURNEY, OPINION_THANKS
from .screens import opinion
from .state import OpinionVisit


def _build(shell: Shell) -> Running:
    pages = (opinion.make_blueprint(shell), plain.make_blueprint(shell.pages, OPINION_THANKS))
    return Running(blueprints=pages, visit=OpinionVisit)


SERVICE = Service(name="opinion", icon="person", package=__package__ or "", journey=JOURNEY, build=_build)
