"""What the visitor orders: kind, persons, options, copies; then the signed order until the fee is due."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import uuid4

from device.errors import CardGone, HirobaError
from kiosk.issuer.protocol import Options, Order, OrderContent, Quote, Refusal, Resident
from kiosk.services.certificates.issuance.issuance import Issuance
from kiosk.services.certificates.issuance.page_gate import Mismatch
from kiosk.services.certificates.journey import (
    AUTHORISED,
    CERTIFICATE_CHOSEN,
    CHOOSE_CERTIFICATE,
    CHOOSE_OPTIONS,
    CONFIRM,
    OPTIONS_CHOSEN,
)
from kiosk.services.certificates.payment.terminal import PaymentTerminal
from kiosk.services.certificates.state import CertificatesVisit, Draft, certificates
from kiosk.shell.journey import ALARMED
from kiosk.shell.service import Shell
from kiosk.shell.visit import Visit
from kiosk.sign_in.steps import told_as


class FeeChanged(HirobaError):
    """The issuer asks for another fee than the visitor confirmed. facts: none."""

    code = "issuer.fee_changed"


class OrderSteps:
    """Choosing and ordering."""

    def __init__(self, shell: Shell, issuance: Issuance, terminal: PaymentTerminal) -> None:
        self._desk, self._issuer, self._kiosk = shell.desk, shell.ports.issuer, shell.ports.name
        self._issuance, self._terminal = issuance, terminal

    def choose(self, kind: str) -> None:
        """A kind of certificate, by its name; one that is not offered is not heard."""
        with self._desk.held() as visit:
            state = certificates(visit)
            resident = state.resident if state else None
            if state is None or resident is None or visit.step.screen is not CHOOSE_CERTIFICATE:
                return
            offer = next((offer for offer in resident.offers if offer.kind.value == kind), None)
            if offer is None:
                return
            me = tuple(person.person for person in resident.household if person.is_self)
            state.offer, state.draft = offer, Draft(persons=me, options=Options(), copies=1)
            self._desk.move(CERTIFICATE_CHOSEN)

    def choose_options(self, who: str, chosen: Iterable[str], options: Options, copies: int) -> None:
        """who: self, all or some (then ``chosen`` counts); what is out of bounds is not heard."""
        with self._desk.held() as visit:
            state = certificates(visit)
            if state is None or visit.step.screen is not CHOOSE_OPTIONS:
                return
            resident, offer = state.resident, state.offer
            if resident is None or offer is None:
                return
            persons = _persons(resident, who, set(chosen))
            copies = min(max(copies, 1), offer.max_copies)
            if not persons:
                self._desk.tell("choose_person")
                return
            state.draft = Draft(persons=persons, options=options, copies=copies)
            self._desk.move(OPTIONS_CHOSEN)

    def confirm(self) -> None:
        """The card signs the order; quote and document follow, and the fee is due."""
        visit = self._desk.begin(CONFIRM)
        if visit is None:
            return
        asked: list[str] = []
        try:
            self._order(visit, asked)
        except HirobaError as error:
            self._desk.trouble(visit, told_as(error))
        finally:
            self._void_if_gone(visit, asked)

    def _order(self, visit: Visit, asked: list[str]) -> None:
        """asked: told the request's id as soon as it stands in the journal."""
        state = certificates(visit)
        content = self._content(state) if state else None
        if state is None or state.resident is None or content is None:
            raise CardGone()
        resident, fee = state.resident, state.fee_yen
        self._issuance.ask(visit.id, content)
        asked.append(content.request)
        state.content = content
        order = self._signed(state, resident, content)
        quote = self._issuance.authorise(order)
        if isinstance(quote, Refusal):
            self._desk.trouble(visit, f"refused.{quote.refused.value}")
        elif quote.fee_yen != fee:
            raise FeeChanged()
        else:
            state.quote = quote
            self._prepare(visit, resident, content, quote)

    def _content(self, state: CertificatesVisit) -> OrderContent | None:
        with self._desk.held():
            if state.draft is None or state.offer is None:
                return None
            draft, kind = state.draft, state.offer.kind
        return OrderContent(
            request=uuid4().hex, kind=kind, persons=list(draft.persons), options=draft.options, copies=draft.copies
        )

    def _signed(self, state: CertificatesVisit, resident: Resident, content: OrderContent) -> Order:
        """From here on the card is not needed; it is powered down."""
        card = state.card
        if card is None:
            raise CardGone()
        challenge = self._issuer.challenge(self._kiosk)
        signature = card.sign_authorisation(challenge.nonce, self._kiosk, content)
        state.card = None
        card.close()
        return Order(
            kiosk=self._kiosk,
            visit=resident.visit,
            challenge=challenge.challenge,
            content=content,
            signature=signature,
        )

    def _prepare(self, visit: Visit, resident: Resident, content: OrderContent, quote: Quote) -> None:
        found = self._issuance.prepare(content.request, resident.visit, resident.binding)
        if isinstance(found, Refusal):
            self._desk.trouble(visit, f"refused.{found.refused.value}")
        elif isinstance(found, Mismatch):
            self._desk.finish(visit, ALARMED)
        else:
            with self._desk.held() as present:
                if present is visit:
                    self._terminal.begin(content.request, quote.fee_yen)
                self._desk.finish(visit, AUTHORISED)

    def _void_if_gone(self, visit: Visit, asked: list[str]) -> None:
        """The visitor left while the order was under way: nothing was paid, so it is voided."""
        with self._desk.held() as present:
            gone = present is not visit
        for request in asked if gone else ():
            self._issuance.give_up(request, "visit_ended")


def _persons(resident: Resident, who: str, chosen: set[str]) -> tuple[str, ...]:
    """In the household's order, whatever the page sent."""
    household = resident.household
    if who == "all":
        return tuple(person.person for person in household)
    if who == "some":
        return tuple(person.person for person in household if person.person in chosen)
    return tuple(person.person for person in household if person.is_self)
