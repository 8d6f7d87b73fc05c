"""What every screen has: language, display, the way home, the staff's door, and the page's heartbeat."""

from __future__ import annotations

from flask import Blueprint, jsonify
from werkzeug.wrappers import Response

from kiosk.shell.journey import LEAVE, STAFF_CALLED
from kiosk.shell.menu import Menu
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell, menu: Menu) -> Blueprint:
    """Routes: / , /state, /awake, /action/..."""
    every, desk, pages = Blueprint("every", __name__), shell.desk, shell.pages

    @every.get("/")
    def now() -> Response:
        return pages.now()

    @every.get("/state")
    def state() -> Response:
        with desk.held() as visit:
            return jsonify(screen=visit.step.screen.name, revision=desk.revision)

    @every.post("/awake")
    def awake() -> Response:
        desk.awake()
        return Response(status=204)

    @every.post("/action/home")
    def home() -> Response:
        if pages.claimed():
            menu.tick()  # what came at the last moment (a fee) is answered before the visitor goes
            desk.move(LEAVE)
        return pages.now()

    @every.post("/action/staff")
    def staff() -> Response:
        if pages.claimed():
            desk.move(STAFF_CALLED)
        return pages.now()

    _add_choices(every, shell)
    return every


def _add_choices(every: Blueprint, shell: Shell) -> None:
    """Language and display: every screen has them."""
    desk, pages, languages = shell.desk, shell.pages, shell.words.languages

    @every.post("/action/language-<language>")
    def language(language: str) -> Response:
        if language in languages and pages.claimed():
            desk.speak(language)
        return pages.now()

    @every.post("/action/display-<display>")
    def display(display: str) -> Response:
        if display in ("large", "contrast") and pages.claimed():
            desk.show(display)
        return pages.now()
