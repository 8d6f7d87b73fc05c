"""What the visitor does with the card: put it down, enter the PIN.

The order is the rule: everything that could still fail without the visitor is asked before the PIN is.
"""

from __future__ import annotations

from device.audit import AuditSink
from device.card.my_number_card import PinAccepted, PinResult, PinWrong
from device.card.presence import CardReader, Presence
from device.errors import CardGone, HirobaError, NotAMyNumberCard
from device.secrets import Pin
from kiosk.issuer.errors import IssuerBroken, IssuerUnreachable
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.protocol import Authenticate, Refusal, Resident
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Event, Screen
from kiosk.shell.readiness import Readiness
from kiosk.shell.visit import Message, Visit
from kiosk.sign_in.card_session import CardSession

SHOWS_CARD = (Screen.HOME, Screen.TAKE_ITEMS)
"""Screens that remind of a card on the reader; others are not drawn anew for it, someone may be typing there."""

LAST_TRY = 1
"""With this many tries left the kiosk asks for no PIN: the last one is the holder's to keep."""


class CardSteps:
    """Card and PIN of the visit that stands at the desk."""

    def __init__(
        self, desk: Desk, reader: CardReader, issuer: IssuerPort, readiness: Readiness, *, audit: AuditSink, kiosk: str
    ) -> None:
        self._desk, self._reader, self._issuer = desk, reader, issuer
        self._readiness, self._audit, self._kiosk = readiness, audit, kiosk

    def card_there(self) -> bool:
        """Whether a card lies on the reader."""
        return self._reader.presence() is Presence.PRESENT

    def left(self) -> None:
        """The card went away. Only a card that is still needed ends the visit."""
        with self._desk.held() as visit:
            if visit.card is not None:
                self._desk.move(Event.CARD_LEFT)
            elif visit.step.screen in SHOWS_CARD:
                self._desk.revise()

    def read(self) -> None:
        """Read the card that lies there, if the visitor is at the screen that asks for one."""
        visit = self._desk.begin(Screen.PLACE_CARD)
        if visit is None:
            return
        try:
            self._read(visit)
        except CardGone:
            self._desk.finish(visit, message=Message("card_moved"))
        except NotAMyNumberCard as error:
            self._refuse_card(visit, error.code, {})
        except HirobaError as error:
            self._desk.trouble(visit, error.code)

    def _read(self, visit: Visit) -> None:
        blocking = self._readiness.check()
        if blocking:
            self._desk.trouble(visit, blocking)
            return
        session = CardSession.open(self._reader)
        try:
            tries = session.tries_left()
        except BaseException:
            session.close()
            raise
        if tries <= LAST_TRY:
            session.close()
            self._refuse_card(visit, "card.pin_blocked", {"remaining": tries})
            return
        self._adopt(visit, session, tries)

    def _adopt(self, visit: Visit, session: CardSession, tries: int) -> None:
        with self._desk.held() as present:
            if present is visit:
                visit.card, visit.tries = session, tries
            here = self._desk.finish(visit, Event.CARD_READ)
        if not here:
            session.close()

    def _refuse_card(self, visit: Visit, code: str, facts: dict[str, object]) -> None:
        self._audit.record("card_refused", visit=visit.id, reason=code)
        self._desk.trouble(visit, code, **facts)

    def enter_pin(self, typed: str) -> None:
        """Hand the PIN to the card, once, and show the card's signature to the issuer."""
        pin = Pin.parse(typed)
        if pin is None:
            self._desk.notice("pin_malformed")
            return
        with pin:
            visit = self._desk.begin(Screen.ENTER_PIN)
            if visit is None:
                return
            try:
                self._try_pin(visit, pin)
            except HirobaError as error:
                self._desk.trouble(visit, _simple(error))

    def _try_pin(self, visit: Visit, pin: Pin) -> None:
        card = _card_of(visit)
        result = card.verify(pin)
        self._note(visit, result)
        if isinstance(result, PinAccepted):
            self._authenticate(visit, card)
        elif isinstance(result, PinWrong) and result.remaining > LAST_TRY:
            visit.tries = result.remaining
            self._desk.finish(visit, message=Message("pin_wrong", {"remaining": result.remaining}))
        else:
            self._desk.trouble(visit, "card.pin_blocked", remaining=result.remaining)

    def _note(self, visit: Visit, result: PinResult) -> None:
        if isinstance(result, PinAccepted):
            self._audit.record("pin_checked", visit=visit.id, outcome="ok")
        else:
            outcome = "wrong" if isinstance(result, PinWrong) else "blocked"
            self._audit.record("pin_checked", visit=visit.id, outcome=outcome, remaining=result.remaining)

    def _authenticate(self, visit: Visit, card: CardSession) -> None:
        credential, challenge = card.credential(), self._issuer.challenge(self._kiosk)
        signature = card.sign_authentication(challenge.nonce, self._kiosk)
        message = Authenticate(
            kiosk=self._kiosk, challenge=challenge.challenge, credential=credential, signature=signature
        )
        answer = self._issuer.authenticate(message)
        if isinstance(answer, Refusal):
            self._audit.record("authentication_refused", visit=visit.id, reason=answer.refused.value)
            self._desk.trouble(visit, f"refused.{answer.refused.value}")
        else:
            self._welcome(visit, answer)

    def _welcome(self, visit: Visit, resident: Resident) -> None:
        with self._desk.held() as present:
            if present is visit and visit.card is not None:
                visit.resident = resident
                self._audit.record("resident_authenticated", visit=visit.id)
                self._desk.finish(visit, Event.AUTHENTICATED)
            else:
                self._desk.finish(visit)


def _card_of(visit: Visit) -> CardSession:
    if visit.card is None:
        raise CardGone()
    return visit.card


def _simple(error: HirobaError) -> str:
    """A broken answer of the issuer is told to the visitor as an issuer that does not answer."""
    return IssuerUnreachable.code if isinstance(error, IssuerBroken) else error.code
