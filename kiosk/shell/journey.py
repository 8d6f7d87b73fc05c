"""The resident's way through the screens: screen x event -> screen, as one table. Pure.

Rules of this file:
1. ``TABLE`` holds every move of a person, the hardware or the clock. What does not stand there leaves the screen as it
   is: a double tap, a back-swipe or a card that bounces is no fault of the visitor, so nothing is raised.
2. ``still_there`` lies over the screen it came from. A person answers it with STAY or LEAVE; what the hardware tells
   meanwhile goes to the screen beneath, and when that moves, the question is gone.
3. A card that leaves before the order is signed (``NEEDS_CARD``) ends the visit: TROUBLE tells why, everything about
   the visitor is already wiped. From ``pay`` on the card may be taken.
4. From every screen a way leads home (N11). Money is in play in ``printing`` only: nobody walks out of it, the printer
   or its trouble does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Screen(Enum):
    """The screens (kiosk/README.md); the value is the page's ``data-screen``."""

    HOME = "home"
    SERVICES = "services"
    PLACE_CARD = "place_card"
    ENTER_PIN = "enter_pin"
    CHOOSE_CERTIFICATE = "choose_certificate"
    CHOOSE_OPTIONS = "choose_options"
    CONFIRM = "confirm"
    PAY = "pay"
    PRINTING = "printing"
    TAKE_ITEMS = "take_items"
    DONE = "done"
    TROUBLE = "trouble"
    STILL_THERE = "still_there"
    CLOSED = "closed"
    STAFF = "staff"

    @property
    def path(self) -> str:
        """The page's URL path."""
        return "/" + self.value.replace("_", "-")


class Event(Enum):
    """What can happen."""

    STARTED = "started"
    SERVICE_CHOSEN = "service_chosen"
    CARD_READ = "card_read"
    CARD_LEFT = "card_left"
    AUTHENTICATED = "authenticated"
    CERTIFICATE_CHOSEN = "certificate_chosen"
    OPTIONS_CHOSEN = "options_chosen"
    AUTHORISED = "authorised"
    PAID = "paid"
    PRINTED = "printed"
    TAKEN = "taken"
    BACK = "back"
    LEAVE = "leave"
    QUIET = "quiet"
    STAY = "stay"
    TROUBLED = "troubled"
    RECOVERED = "recovered"
    CLOSING = "closing"
    OPENING = "opening"
    ALARMED = "alarmed"
    STAFF_CALLED = "staff_called"


HARDWARE = frozenset(
    {
        Event.CARD_READ,
        Event.CARD_LEFT,
        Event.AUTHENTICATED,
        Event.AUTHORISED,
        Event.PAID,
        Event.PRINTED,
        Event.TROUBLED,
        Event.ALARMED,
    }
)
"""Told by card, issuer, terminal or printer: rule 2."""

NEEDS_CARD = (Screen.ENTER_PIN, Screen.CHOOSE_CERTIFICATE, Screen.CHOOSE_OPTIONS, Screen.CONFIRM)
VISITING = (Screen.SERVICES, Screen.PLACE_CARD, *NEEDS_CARD, Screen.PAY)
"""Screens that a quiet visitor is asked about, and that a person can leave by one touch."""

TABLE: dict[tuple[Screen, Event], Screen] = {
    (Screen.HOME, Event.STARTED): Screen.SERVICES,
    (Screen.SERVICES, Event.SERVICE_CHOSEN): Screen.PLACE_CARD,
    (Screen.PLACE_CARD, Event.CARD_READ): Screen.ENTER_PIN,
    (Screen.PLACE_CARD, Event.BACK): Screen.SERVICES,
    (Screen.ENTER_PIN, Event.AUTHENTICATED): Screen.CHOOSE_CERTIFICATE,
    (Screen.CHOOSE_CERTIFICATE, Event.CERTIFICATE_CHOSEN): Screen.CHOOSE_OPTIONS,
    (Screen.CHOOSE_OPTIONS, Event.OPTIONS_CHOSEN): Screen.CONFIRM,
    (Screen.CHOOSE_OPTIONS, Event.BACK): Screen.CHOOSE_CERTIFICATE,
    (Screen.CONFIRM, Event.BACK): Screen.CHOOSE_OPTIONS,
    (Screen.CONFIRM, Event.AUTHORISED): Screen.PAY,
    (Screen.PAY, Event.PAID): Screen.PRINTING,
    (Screen.PRINTING, Event.PRINTED): Screen.TAKE_ITEMS,
    (Screen.PRINTING, Event.TROUBLED): Screen.TROUBLE,
    (Screen.TAKE_ITEMS, Event.TAKEN): Screen.DONE,
    (Screen.TAKE_ITEMS, Event.QUIET): Screen.HOME,
    (Screen.DONE, Event.LEAVE): Screen.HOME,
    (Screen.DONE, Event.QUIET): Screen.HOME,
    (Screen.TROUBLE, Event.LEAVE): Screen.HOME,
    (Screen.TROUBLE, Event.QUIET): Screen.HOME,
    (Screen.TROUBLE, Event.RECOVERED): Screen.HOME,
    (Screen.STILL_THERE, Event.LEAVE): Screen.HOME,
    (Screen.STILL_THERE, Event.QUIET): Screen.HOME,
    (Screen.HOME, Event.CLOSING): Screen.CLOSED,
    (Screen.CLOSED, Event.OPENING): Screen.HOME,
    (Screen.HOME, Event.STAFF_CALLED): Screen.STAFF,
    (Screen.TROUBLE, Event.STAFF_CALLED): Screen.STAFF,
    (Screen.CLOSED, Event.STAFF_CALLED): Screen.STAFF,
    (Screen.STAFF, Event.LEAVE): Screen.HOME,
    (Screen.STAFF, Event.QUIET): Screen.HOME,
    **{(screen, Event.CARD_LEFT): Screen.TROUBLE for screen in NEEDS_CARD},
    **{(screen, Event.TROUBLED): Screen.TROUBLE for screen in (Screen.HOME, *VISITING)},
    **{(screen, Event.LEAVE): Screen.HOME for screen in VISITING},
    **{(screen, Event.QUIET): Screen.STILL_THERE for screen in VISITING},
    **{(screen, Event.ALARMED): Screen.CLOSED for screen in (Screen.HOME, *VISITING)},
}


@dataclass(frozen=True)
class Step:
    """Where the visit stands. beneath: the screen under ``still_there``, else None."""

    screen: Screen = Screen.HOME
    beneath: Screen | None = None


def after(step: Step, event: Event) -> Step:
    """The step that follows; the same one when the event has no meaning here (rule 1)."""
    if step.beneath is not None:
        return _over(step, step.beneath, event)
    screen = TABLE.get((step.screen, event), step.screen)
    return Step(screen, beneath=step.screen if screen is Screen.STILL_THERE else None)


def _over(step: Step, beneath: Screen, event: Event) -> Step:
    """Rule 2: the question lies over ``beneath``."""
    if event is Event.STAY:
        return Step(beneath)
    if event in HARDWARE:
        moved = TABLE.get((beneath, event), beneath)
        return step if moved is beneath else Step(moved)
    return Step(TABLE.get((Screen.STILL_THERE, event), Screen.STILL_THERE), _kept(step, event))


def _kept(step: Step, event: Event) -> Screen | None:
    return None if (Screen.STILL_THERE, event) in TABLE else step.beneath
