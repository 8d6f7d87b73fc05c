"""What every screen has: language, display, the way home, the staff's door, and the page's heartbeat."""

from __future__ import annotations

from flask import Blueprint, jsonify
from werkzeug.wrappers import Response

from kiosk.services.certificates.paper_steps import PaperSteps
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Event
from kiosk.shell.pages import Pages


def make_blueprint(desk: Desk, pages: Pages, paper: PaperSteps, languages: tuple[str, ...]) -> Blueprint:
    """Routes: / , /state, /awake, /action/..."""
    shell = Blueprint("shell", __name__)

    @shell.get("/")
    def now() -> Response:
        return pages.now()

    @shell.get("/state")
    def state() -> Response:
        with desk.held() as visit:
            return jsonify(screen=visit.step.screen.value, revision=desk.revision)

    @shell.post("/awake")
    def awake() -> Response:
        desk.awake()
        return Response(status=204)

    @shell.post("/action/home")
    def home() -> Response:
        if pages.claimed():
            paper.leave()
        return pages.now()

    @shell.post("/action/staff")
    def staff() -> Response:
        if pages.claimed():
            desk.move(Event.STAFF_CALLED)
        return pages.now()

    _add_choices(shell, desk, pages, languages)
    return shell


def _add_choices(shell: Blueprint, desk: Desk, pages: Pages, languages: tuple[str, ...]) -> None:
    """Language and display: every screen has them."""

    @shell.post("/action/language-<language>")
    def language(language: str) -> Response:
        if language in languages and pages.claimed():
            desk.speak(language)
        return pages.now()

    @shell.post("/action/display-<display>")
    def display(display: str) -> Response:
        if display in ("large", "contrast") and pages.claimed():
            desk.show(display)
        return pages.now()
