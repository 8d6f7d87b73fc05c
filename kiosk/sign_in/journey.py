"""The screens of signing in, and the moves between them. Pure."""

from __future__ import annotations

from kiosk.shell.journey import BACK, SERVICES, Card, Event, Moves, Screen

PLACE_CARD = Screen("place_card", waits=True, needs_ready=True)
ENTER_PIN = Screen("enter_pin", card=Card.NEEDED)

CARD_READ = Event("card_read", background=True)
AUTHENTICATED = Event("authenticated", background=True)


def sign_in_moves(onward: Screen) -> Moves:
    """For a service's table: from ``PLACE_CARD``, its entrance, to ``onward``."""
    return {
        (PLACE_CARD, CARD_READ): ENTER_PIN,
        (PLACE_CARD, BACK): SERVICES,
        (ENTER_PIN, AUTHENTICATED): onward,
    }
