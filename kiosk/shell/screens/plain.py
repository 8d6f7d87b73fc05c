"""Screens that only tell something."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.shell.journey import Screen
from kiosk.shell.pages import Context, Pages


def make_blueprint(pages: Pages, screen: Screen, context: Context = lambda _visit: {}) -> Blueprint:
    """Route: the screen's own path. Its controls are the shell's."""
    plain = Blueprint(screen.name, __name__)
    plain.get(screen.path)(_shown(pages, screen, context))
    return plain


def _shown(pages: Pages, screen: Screen, context: Context) -> Callable[[], str | Response]:
    def show() -> str | Response:
        return pages.show(screen, context)

    return show
