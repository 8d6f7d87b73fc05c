"""Puts the screens together as one Flask app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Flask
from jinja2 import ChoiceLoader, PackageLoader, StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from device.audit import AuditSink
from device.logs import Log, places
from kiosk.services.certificates.order_steps import OrderSteps
from kiosk.services.certificates.paper_steps import PaperSteps, Spawn
from kiosk.services.certificates.payment.terminal import PaymentTerminal
from kiosk.services.certificates.screens import choose_certificate, choose_options, confirm, pay, take_items
from kiosk.settings import CitySettings
from kiosk.shell import guard
from kiosk.shell.alarm import Alarm
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Screen
from kiosk.shell.pages import Pages
from kiosk.shell.readiness import Readiness
from kiosk.shell.screens import closed, home, plain, services, shell, staff, still_there
from kiosk.shell.staff_code import StaffCode
from kiosk.shell.words import ROOMS, Words
from kiosk.sign_in import enter_pin, place_card
from kiosk.sign_in.card_steps import CardSteps

WAITING = ("home", "place_card", "pay", "printing", "take_items", "done", "trouble", "still_there", "closed")
"""Screens that move by themselves; without JavaScript the browser asks again every few seconds."""


@dataclass(frozen=True)
class Parts:
    """Everything the screens are made from."""

    desk: Desk
    words: Words
    city: CitySettings
    card: CardSteps
    order: OrderSteps
    paper: PaperSteps
    readiness: Readiness
    terminal: PaymentTerminal
    staff_code: StaffCode
    alarm: Alarm
    open_matters: Callable[[], int]
    audit: AuditSink
    log: Log
    spawn: Spawn


def create_app(parts: Parts) -> Flask:
    """The kiosk's web app; importing and making it starts nothing."""
    app = Flask("kiosk.shell")
    app.jinja_loader = ChoiceLoader([PackageLoader(room) for room in ROOMS])
    app.jinja_env.globals["waiting"] = WAITING
    app.jinja_env.trim_blocks = True
    app.jinja_env.undefined = StrictUndefined
    guard.install(app)
    pages = Pages(parts.desk, parts.words, parts.city)
    for blueprint in (*_visit_screens(parts, pages), *_other_screens(parts, pages)):
        app.register_blueprint(blueprint)
    _mind_errors(app, parts.log, pages)
    return app


def _visit_screens(parts: Parts, pages: Pages) -> list[Blueprint]:
    desk = parts.desk
    return [
        home.make_blueprint(desk, pages, parts.readiness, parts.card),
        services.make_blueprint(desk, pages, parts.card, parts.spawn),
        place_card.make_blueprint(desk, pages),
        enter_pin.make_blueprint(pages, parts.card),
        choose_certificate.make_blueprint(pages, parts.order),
        choose_options.make_blueprint(desk, pages, parts.order),
        confirm.make_blueprint(desk, pages, parts.order),
        pay.make_blueprint(desk, pages, parts.paper, parts.terminal),
        take_items.make_blueprint(pages, parts.paper, parts.card),
    ]


def _other_screens(parts: Parts, pages: Pages) -> list[Blueprint]:
    desk = parts.desk
    told = [plain.make_blueprint(pages, screen) for screen in (Screen.PRINTING, Screen.DONE, Screen.TROUBLE)]
    return [
        shell.make_blueprint(desk, pages, parts.paper, parts.words.languages),
        still_there.make_blueprint(desk, pages),
        closed.make_blueprint(desk, pages, parts.alarm),
        staff.make_blueprint(
            desk,
            pages,
            code=parts.staff_code,
            alarm=parts.alarm,
            open_matters=parts.open_matters,
            readiness=parts.readiness,
            audit=parts.audit,
        ),
        *told,
    ]


def _mind_errors(app: Flask, log: Log, pages: Pages) -> None:
    """A visitor never sees a traceback, nor a page that leads nowhere: both lead to the present screen."""

    @app.errorhandler(404)
    @app.errorhandler(405)
    def lost(_error: HTTPException) -> Response:
        return pages.now()

    @app.errorhandler(500)
    def broken(error: HTTPException) -> Response:
        cause = getattr(error, "original_exception", None) or error
        log.error("page_failed", error=type(cause).__name__, places=places(cause))
        return pages.fault()
