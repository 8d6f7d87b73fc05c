"""The question."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kiosk.shell.journey import BACK
from kiosk.shell.service import Shell

from ..journey import OPINION, SAID  # noqa: TID252  # wherever the folder lies
from ..state import OpinionVisit  # noqa: TID252


def make_blueprint(shell: Shell) -> Blueprint:
    """Routes: /opinion, /opinion/say, /opinion/back."""
    opinion, pages = Blueprint("opinion", __name__), shell.pages

    @opinion.get("/opinion")
    def show() -> str | Response:
        return pages.show(OPINION)

    @opinion.post("/opinion/say")
    def say() -> Response:
        if pages.claimed(OPINION):
            with shell.desk.held() as visit:
                if isinstance(visit.service, OpinionVisit):
                    visit.service.said = request.form.get("said", "")
            shell.desk.move(SAID)
        return pages.now()

    @opinion.post("/opinion/back")
    def back() -> Response:
        if pages.claimed(OPINION):
            shell.desk.move(BACK)
        return pages.now()

    return opinion
