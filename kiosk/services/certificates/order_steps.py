"""What the visitor orders: a kind, the answers to its form, copies; then the signed order until the fee is due."""

from __future__ import annotations

from uuid import uuid4

from device.errors import CardGone, HirobaError
from kiosk.issuer.errors import IssuerBroken, IssuerUnreachable
from kiosk.issuer.form import default_answers
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.protocol import Order, OrderContent, Quote, Refusal, Resident
from kiosk.services.certificates.form_answers import Sent, clamped, lacking, read
from kiosk.services.certificates.issuance.issuance import Issuance
from kiosk.services.certificates.issuance.page_gate import Mismatch
from kiosk.services.certificates.payment.terminal import PaymentTerminal
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Event, Screen
from kiosk.shell.visit import Draft, Visit


class FeeChanged(HirobaError):
    """The issuer asks for another fee than the visitor confirmed. facts: none."""

    code = "issuer.fee_changed"


class OrderSteps:
    """Choosing and ordering."""

    def __init__(
        self, desk: Desk, issuer: IssuerPort, issuance: Issuance, terminal: PaymentTerminal, kiosk: str
    ) -> None:
        self._desk, self._issuer, self._issuance = desk, issuer, issuance
        self._terminal, self._kiosk = terminal, kiosk

    def choose(self, kind: str) -> None:
        """A kind of certificate, by its name; one that is not offered is not heard."""
        with self._desk.held() as visit:
            offers = visit.resident.offers if visit.resident else []
            offer = next((offer for offer in offers if offer.kind == kind), None)
            if offer is None or visit.resident is None or visit.step.screen is not Screen.CHOOSE_CERTIFICATE:
                return
            visit.offer, visit.draft = offer, Draft(answers=default_answers(offer.form), copies=1)
            self._desk.move(Event.CERTIFICATE_CHOSEN)

    def choose_options(self, sent: Sent) -> None:
        """What the page's form sent; what was not offered is not heard."""
        with self._desk.held() as visit:
            offer = visit.offer
            if offer is None or visit.step.screen is not Screen.CHOOSE_OPTIONS:
                return
            answers = read(offer.form, sent)
            copies = clamped(sent.get("copies"), 1, offer.max_copies, 1)
            if lacks := lacking(offer.form, answers):
                self._desk.notice(lacks.code, field=lacks.field, count=lacks.bound)
                return
            visit.draft = Draft(answers=answers, copies=copies)
            self._desk.move(Event.OPTIONS_CHOSEN)

    def confirm(self) -> None:
        """The card signs the order; quote and document follow, and the fee is due."""
        visit = self._desk.begin(Screen.CONFIRM)
        if visit is None:
            return
        try:
            self._order(visit)
        except HirobaError as error:
            broken = isinstance(error, IssuerBroken)
            self._desk.trouble(visit, IssuerUnreachable.code if broken else error.code)
        finally:
            self._settle_if_gone(visit)

    def _order(self, visit: Visit) -> None:
        resident, content = visit.resident, self._content(visit)
        if resident is None or content is None:
            raise CardGone()
        self._issuance.ask(visit.id, content)
        visit.content = content
        order = self._signed(visit, resident, content)
        quote = self._issuance.authorise(order)
        if isinstance(quote, Refusal):
            self._desk.trouble(visit, f"refused.{quote.refused.value}")
        elif quote.fee_yen != visit.fee_yen:
            raise FeeChanged()
        else:
            visit.quote = quote
            self._prepare(visit, resident, content, quote)

    def _content(self, visit: Visit) -> OrderContent | None:
        with self._desk.held():
            if visit.draft is None or visit.offer is None:
                return None
            draft, kind = visit.draft, visit.offer.kind
        return OrderContent(request=uuid4().hex, kind=kind, answers=dict(draft.answers), copies=draft.copies)

    def _signed(self, visit: Visit, resident: Resident, content: OrderContent) -> Order:
        """From here on the card is not needed; it is powered down."""
        card = visit.card
        if card is None:
            raise CardGone()
        challenge = self._issuer.challenge(self._kiosk)
        signature = card.sign_authorisation(challenge.nonce, self._kiosk, content)
        visit.card = None
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
            self._desk.finish(visit, Event.ALARMED)
        else:
            with self._desk.held() as present:
                if present is visit and visit.id:
                    self._terminal.begin(content.request, quote.fee_yen)
                self._desk.finish(visit, Event.AUTHORISED)

    def _settle_if_gone(self, visit: Visit) -> None:
        """The visitor left while the order was under way: nothing was paid, so it is voided."""
        content = visit.content
        with self._desk.held() as present:
            gone = present is not visit or not visit.id
        if gone and content is not None:
            self._issuance.give_up(content.request, "visit_ended")
