"""The way to a certificate: sign in, choose, confirm, pay, print, take. Pure.

A card that leaves before the order is signed ends the visit: trouble tells why, everything about the visitor is already
wiped. From ``pay`` on the card may be taken. Money is in play in ``printing`` only: nobody walks out of it, the printer
or its trouble does.
"""

from __future__ import annotations

from kiosk.shell.journey import BACK, Card, Event, Quiet, Screen, ServiceJourney, Then
from kiosk.sign_in.journey import ENTER_PIN, PLACE_CARD, sign_in_moves

CHOOSE_CERTIFICATE = Screen("choose_certificate", card=Card.NEEDED)
CHOOSE_OPTIONS = Screen("choose_options", card=Card.NEEDED)
CONFIRM = Screen("confirm", card=Card.NEEDED)
PAY = Screen("pay", Quiet(Then.ASK, 180.0), waits=True)
PRINTING = Screen("printing", quiet=None, leaves=False, alarms=False, waits=True)
TAKE_ITEMS = Screen(
    "take_items", Quiet(Then.HOME, 120.0), card=Card.SHOWN, leaves=False, fails=False, alarms=False, waits=True
)
DONE = Screen("done", Quiet(Then.HOME, 10.0), fails=False, alarms=False, waits=True)

CERTIFICATE_CHOSEN = Event("certificate_chosen")
OPTIONS_CHOSEN = Event("options_chosen")
AUTHORISED = Event("authorised", background=True)
PAID = Event("paid", background=True)
PRINTED = Event("printed", background=True)
TAKEN = Event("taken")

JOURNEY = ServiceJourney(
    entrance=PLACE_CARD,
    moves={
        **sign_in_moves(CHOOSE_CERTIFICATE),
        (CHOOSE_CERTIFICATE, CERTIFICATE_CHOSEN): CHOOSE_OPTIONS,
        (CHOOSE_OPTIONS, OPTIONS_CHOSEN): CONFIRM,
        (CHOOSE_OPTIONS, BACK): CHOOSE_CERTIFICATE,
        (CONFIRM, BACK): CHOOSE_OPTIONS,
        (CONFIRM, AUTHORISED): PAY,
        (PAY, PAID): PRINTING,
        (PRINTING, PRINTED): TAKE_ITEMS,
        (TAKE_ITEMS, TAKEN): DONE,
    },
    steps=(
        ("card", (PLACE_CARD,)),
        ("pin", (ENTER_PIN,)),
        ("choose", (CHOOSE_CERTIFICATE, CHOOSE_OPTIONS, CONFIRM)),
        ("pay", (PAY,)),
        ("take", (PRINTING, TAKE_ITEMS)),
    ),
)
