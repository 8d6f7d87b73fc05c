"""Screens that only tell something: printing, done, trouble."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.shell.journey import Screen
from kiosk.shell.pages import Pages


def make_blueprint(pages: Pages, screen: Screen) -> Blueprint:
    """Route: the screen's own path. Its controls are the shell's."""
    plain = Blueprint(screen.value, __name__)

    @plain.get(screen.path)
    def show() -> str | Response:
        return pages.show(screen)

    return plain
