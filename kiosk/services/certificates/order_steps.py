"""What the visitor orders: a kind, the answers to its form, copies; then the signed order until the fee is due."""

from __future__ import annotations

from uuid import uuid4

from device.errors import CardGone, HirobaError
from kiosk.issuer.form import default_answers
from kiosk.issuer.protocol import Order, OrderContent, Quote, Refusal, Resident
from kiosk.services.certificates.form_answers import Sent, clamped, lacking, read
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
            offer = next((offer for offer in resident.offers if offer.kind == kind), None)
            if offer is None:
                return
            state.offer, state.draft = offer, Draft(answers=default_answers(offer.form), copies=1)
            self._desk.move(CERTIFICATE_CHOSEN)

    def choose_options(self, sent: Sent) -> None:
        """What the page's form sent; what was not offered is not heard."""
        with self._desk.held() as visit:
            state = certificates(visit)
            offer = state.offer if state else None
            if state is None or offer is None or visit.step.screen is not CHOOSE_OPTIONS:
                return
            answers = read(offer.form, sent)
            copies = clamped(sent.get("copies"), 1, offer.max_copies, 1)
            if lacks := lacking(offer.form, answers):
                self._desk.tell(lacks.code, field=lacks.field, count=lacks.bound)
                return
            state.draft = Draft(answers=answers, copies=copies)
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
        return OrderContent(request=uuid4().hex, kind=kind, answers=dict(draft.answers), copies=draft.copies)

    def _signed(self, state: CertificatesVisit, resident: Resident, content: OrderContent) -> Order:
        """From here on the card is not needed; it is powered down."""
        card = state.card
        if card is None:
            raise CardGone()
        challenge = self._issuer.challenge()
        signature = card.sign_authorisation(challenge.nonce, self._kiosk, content)
        state.card = None
        card.close()
        return Order(
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
