"""Card and paper are to be taken."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kiosk.services.certificates.paper_steps import PaperSteps
from kiosk.shell.journey import Screen
from kiosk.shell.pages import Pages
from kiosk.sign_in.card_steps import CardSteps


def make_blueprint(pages: Pages, paper: PaperSteps, card: CardSteps) -> Blueprint:
    """Routes: /take-items, /take-items/taken."""
    take_items = Blueprint("take_items", __name__)

    @take_items.get("/take-items")
    def show() -> str | Response:
        return pages.show(Screen.TAKE_ITEMS, lambda _visit: {"card_there": card.card_there()})

    @take_items.post("/take-items/taken")
    def taken() -> Response:
        if pages.claimed(Screen.TAKE_ITEMS):
            paper.taken()
        return pages.now()

    return take_items
