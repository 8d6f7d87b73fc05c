"""Card and paper are to be taken."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.services.certificates.journey import TAKE_ITEMS
from kiosk.services.certificates.paper_steps import PaperSteps
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell, paper: PaperSteps) -> Blueprint:
    """Routes: /take-items, /take-items/taken."""
    take_items, pages = Blueprint("take_items", __name__), shell.pages

    @take_items.get("/take-items")
    def show() -> str | Response:
        return pages.show(TAKE_ITEMS, lambda _visit: {"card_there": shell.card_there()})

    @take_items.post("/take-items/taken")
    def taken() -> Response:
        if pages.claimed(TAKE_ITEMS):
            paper.taken()
        return pages.now()

    return take_items
