"""Puts the screens of the shell and of the services together as one Flask app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from flask import Blueprint, Flask
from jinja2 import ChoiceLoader, PackageLoader, StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from device.errors import HirobaError
from device.logs import Log, places
from kiosk.shell import guard
from kiosk.shell.journey import TROUBLE
from kiosk.shell.menu import Menu
from kiosk.shell.pages import Pages
from kiosk.shell.screens import closed, every, home, plain, services, staff, still_there
from kiosk.shell.service import Shell


class TemplateTwice(HirobaError):
    """Two packages bring a template of one name. facts: template."""

    code = "template.twice"


def create_app(shell: Shell, menu: Menu, blueprints: Iterable[Blueprint], packages: Iterable[str]) -> Flask:
    """The kiosk's web app; importing and making it starts nothing. blueprints, packages: what the services add to the
    shell's pages, templates and words. Raises TemplateTwice.
    """
    app = Flask("kiosk.shell")
    app.jinja_loader = _templates(packages)
    app.jinja_env.trim_blocks = True
    app.jinja_env.undefined = StrictUndefined
    guard.install(app)
    for blueprint in (*_own_screens(shell, menu), *blueprints):
        app.register_blueprint(blueprint)
    _handle_errors(app, shell.ports.log, shell.pages)
    return app


def _own_screens(shell: Shell, menu: Menu) -> list[Blueprint]:
    return [
        every.make_blueprint(shell, menu),
        home.make_blueprint(shell, menu),
        services.make_blueprint(shell, menu),
        still_there.make_blueprint(shell),
        closed.make_blueprint(shell),
        staff.make_blueprint(shell, menu),
        plain.make_blueprint(shell.pages, TROUBLE),
    ]


def _templates(packages: Iterable[str]) -> ChoiceLoader:
    loaders = [PackageLoader(package) for package in packages]
    for template, count in Counter(name for loader in loaders for name in loader.list_templates()).items():
        if count > 1:
            raise TemplateTwice(template=template)
    return ChoiceLoader(loaders)


def _handle_errors(app: Flask, log: Log, pages: Pages) -> None:
    """A visitor never sees a traceback, nor a page that leads nowhere: every error leads to the present screen. Who is
    no page of ours is refused. No exception is left to Flask, whose log would quote its message (N3).
    """

    @app.errorhandler(HTTPException)
    def lost(error: HTTPException) -> Response:
        return error.get_response() if error.code in guard.REFUSALS else pages.now()

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        log.error("page_failed", error=type(error).__name__, places=places(error))
        return pages.fault()
