"""What the visitor does with the card: put it down, enter the PIN.

The order is the rule: everything that could still fail without the visitor is asked before the PIN is.
"""

from __future__ import annotations

from device.card.my_number_card import PinAccepted, PinResult, PinWrong
from device.errors import CardGone, HirobaError, NotAMyNumberCard
from device.secrets import Pin
from kiosk.issuer.errors import IssuerBroken, IssuerBusy, IssuerUnreachable
from kiosk.issuer.protocol import Authenticate, Refusal, Resident
from kiosk.shell.service import Shell
from kiosk.shell.visit import Notice, Visit
from kiosk.sign_in.card_session import CardSession
from kiosk.sign_in.journey import AUTHENTICATED, CARD_READ, ENTER_PIN, PLACE_CARD
from kiosk.sign_in.state import SignedVisit, signed

LAST_TRY = 1
"""With this many tries left the kiosk asks for no PIN: the last one is the holder's to keep."""


class SignInSteps:
    """Card and PIN of the visit that stands at the desk; keeps nothing of it."""

    def __init__(self, shell: Shell) -> None:
        self._desk, self._reader, self._issuer = shell.desk, shell.ports.reader, shell.ports.issuer
        self._readiness, self._audit, self._kiosk = shell.readiness, shell.audit, shell.ports.name

    def read(self) -> None:
        """Read the card that lies there, if the visitor is at the screen that asks for one."""
        visit = self._desk.begin(PLACE_CARD)
        if visit is None:
            return
        try:
            self._read(visit)
        except CardGone:
            self._desk.finish(visit, notice=Notice("card_moved"))
        except NotAMyNumberCard as error:
            self._refuse_card(visit, error.code, {})
        except HirobaError as error:
            self._desk.trouble(visit, error.code)

    def _read(self, visit: Visit) -> None:
        blocking = self._readiness.ask(visit.step.service)
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
                state = signed(visit)
                state.card, state.tries = session, tries
            here = self._desk.finish(visit, CARD_READ)
        if not here:
            session.close()

    def _refuse_card(self, visit: Visit, code: str, facts: dict[str, object]) -> None:
        self._audit.record("card_refused", visit=visit.id, reason=code)
        self._desk.trouble(visit, code, **facts)

    def enter_pin(self, typed: str) -> None:
        """Hand the PIN to the card, once, and show the card's signature to the issuer."""
        pin = Pin.parse(typed)
        if pin is None:
            self._desk.tell("pin_malformed")
            return
        with pin:
            visit = self._desk.begin(ENTER_PIN)
            if visit is None:
                return
            try:
                self._try_pin(visit, signed(visit), pin)
            except HirobaError as error:
                self._desk.trouble(visit, told_as(error))

    def _try_pin(self, visit: Visit, state: SignedVisit, pin: Pin) -> None:
        card = _card_of(state)
        result = card.verify(pin)
        self._note(visit, result)
        if isinstance(result, PinAccepted):
            self._authenticate(visit, card)
        elif isinstance(result, PinWrong) and result.remaining > LAST_TRY:
            state.tries = result.remaining
            self._desk.finish(visit, notice=Notice("pin_wrong", {"remaining": result.remaining}))
        else:
            self._desk.trouble(visit, "card.pin_blocked", remaining=result.remaining)

    def _note(self, visit: Visit, result: PinResult) -> None:
        if isinstance(result, PinAccepted):
            self._audit.record("pin_checked", visit=visit.id, outcome="ok")
        else:
            outcome = "wrong" if isinstance(result, PinWrong) else "blocked"
            self._audit.record("pin_checked", visit=visit.id, outcome=outcome, remaining=result.remaining)

    def _authenticate(self, visit: Visit, card: CardSession) -> None:
        credential, challenge = card.credential(), self._issuer.challenge()
        signature = card.sign_authentication(challenge.nonce, self._kiosk)
        message = Authenticate(challenge=challenge.challenge, credential=credential, signature=signature)
        answer = self._issuer.authenticate(message)
        if isinstance(answer, Refusal):
            self._audit.record("authentication_refused", visit=visit.id, reason=answer.refused.value)
            self._desk.trouble(visit, f"refused.{answer.refused.value}")
        else:
            self._welcome(visit, answer)

    def _welcome(self, visit: Visit, resident: Resident) -> None:
        with self._desk.held() as present:
            if present is visit and signed(visit).card is not None:
                signed(visit).resident = resident
                self._audit.record("resident_authenticated", visit=visit.id)
                self._desk.finish(visit, AUTHENTICATED)
            else:
                self._desk.finish(visit)


def _card_of(state: SignedVisit) -> CardSession:
    if state.card is None:
        raise CardGone()
    return state.card


def told_as(error: HirobaError) -> str:
    """The code a visitor is told: an issuer that answers with a fault, or takes no more now, is one that does not
    answer.
    """
    return IssuerUnreachable.code if isinstance(error, IssuerBroken | IssuerBusy) else error.code
