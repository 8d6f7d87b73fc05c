"""The issuer itself: one method a message of the protocol, for any transport; ``for_kiosk`` fills IssuerPort.

Without state between calls but in the stores (and the counters of a flood), so any number of workers may answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import msgspec

from device.audit import AuditSink
from device.card.credential import Credential, TrustStore, check_credential
from device.clock import Clock
from device.errors import CredentialRejected
from kiosk.issuer import limits
from kiosk.issuer import protocol as p
from kiosk.issuer.certificate import CertificateMaker, LaidOut
from kiosk.issuer.challenges import Challenges, hashed
from kiosk.issuer.eligibility import is_request_id, may_ask, may_have
from kiosk.issuer.errors import RequestUnknown, TooMany
from kiosk.issuer.given_documents import GivenDocuments
from kiosk.issuer.kinds.kind import HouseholdPerson, Kind
from kiosk.issuer.ledger import Ledger, LedgerEntry, OrderRecord, order_digest
from kiosk.issuer.limits import KioskLimits
from kiosk.issuer.order import household_of, record_of, well_formed
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.protocol import RefusalReason
from kiosk.issuer.register.records import HouseholdNow
from kiosk.issuer.register.register import RegisterPort
from kiosk.issuer.revocation.revocation import NotAsked
from kiosk.issuer.revocation.verdict import RevocationPort, Verdict
from kiosk.issuer.visits import IssuerVisit, Visits

GIVEN_OUT, WRONG_KEY = "given_out", "wrong_key"
"""Refusals of a second document, and of an outcome told with another key, as the audit names them."""
_REJECTED = {"validity": RefusalReason.CREDENTIAL_EXPIRED}
_VERDICTS = {
    Verdict.REVOKED: RefusalReason.CREDENTIAL_EXPIRED,
    Verdict.UNAVAILABLE: RefusalReason.CREDENTIAL_UNKNOWN,
}


@dataclass(frozen=True)
class IssuerPorts:
    """The issuer's ports. kinds: by name, offered in this order where ``fees_yen`` has a fee for them (yen a
    copy).
    """

    register: RegisterPort
    trust: TrustStore
    challenges: Challenges
    visits: Visits
    ledger: Ledger
    given: GivenDocuments
    limits: KioskLimits
    maker: CertificateMaker
    audit: AuditSink
    clock: Clock
    kinds: Mapping[str, Kind]
    fees_yen: Mapping[str, int]
    max_copies: int
    version: str
    revocation: RevocationPort = field(default_factory=NotAsked)


class Issuer:
    """One method a message, for the kiosk that is named first: by its credential or its socket, never by a message."""

    def __init__(self, ports: IssuerPorts) -> None:
        self._ports = ports

    def challenge(self, kiosk: str) -> p.Challenge:
        """See IssuerPort."""
        given = self._ports.challenges.give(kiosk)
        if given is None:
            raise self._ports.limits.too_many(kiosk, limits.CHALLENGES)
        return given

    def authenticate(self, kiosk: str, message: p.Authenticate) -> p.Resident | p.Refusal:
        """See IssuerPort. Chain and validity, signature over our own nonce, the pair (issuer, serial), revocation,
        then the register (docs/sources.md#finding-the-resident).
        """
        found = self._holder(kiosk, message)
        if isinstance(found, RefusalReason):
            return self._refused_visit(kiosk, found)
        credential, resident = found
        house = self._ports.register.household_of(resident)
        refused = may_ask(house, resident, self._ports.clock.now().date())
        if refused or house is None:
            return self._refused_visit(kiosk, refused or RefusalReason.NOT_RESIDENT)
        members = [m.resident for m in house.members]
        opened = self._ports.visits.open(kiosk, credential, resident, members)
        if opened is None:
            raise self._ports.limits.too_many(kiosk, limits.VISITS)
        token, visit = opened
        self._ports.audit.record("resident_authenticated", visit=visit.reference, kiosk=kiosk)
        offers = self._offers(household_of(visit, house))
        return p.Resident(visit=token, binding=visit.binding, offers=offers)

    def order(self, kiosk: str, order: p.Order) -> p.Quote | p.Refusal:
        """See IssuerPort."""
        digest = order_digest(kiosk, order.visit, order.content)
        earlier = self._ports.ledger.find(order.content.request)
        if earlier is None:
            visit = self._authorised(kiosk, order)
            accepted = visit if isinstance(visit, RefusalReason) else self._accept(visit, order, digest)
            if isinstance(accepted, RefusalReason):
                return self._refused(kiosk, order.content.request, order.content.kind, accepted)
            earlier = accepted
        if earlier.digest != digest:
            return self._refused(kiosk, order.content.request, order.content.kind, RefusalReason.ORDER_INVALID)
        kept = earlier.order
        return p.Quote(issue_number=earlier.issue_number, fee_yen=kept.fee_yen, pages=kept.pages)

    def document(self, kiosk: str, request: str, message: p.DocumentRequest) -> p.Document | p.Refusal:
        """See IssuerPort. Everything is read and checked again; nothing rendered was kept. Once the outcome is told
        or the visit is over, there is no document any more, and there is one document for an order, not two.
        """
        entry = self._known(request, kiosk)
        order, kind = entry.order, self._ports.kinds.get(entry.order.kind)
        visit = self._ports.visits.find(message.visit, kiosk)
        if visit is None or kind is None or hashed(message.visit) != order.visit or entry.outcome is not None:
            return self._refused(kiosk, request, order.kind, RefusalReason.ORDER_INVALID)
        if not self._ports.given.may_give(request):
            return self._refused(kiosk, request, order.kind, RefusalReason.ORDER_INVALID, GIVEN_OUT)
        house = self._ports.register.household_of(order.requester)
        laid = self._laid(kind, house, order, entry.issue_number, visit.credential)
        if isinstance(laid, RefusalReason):
            return self._refused(kiosk, request, order.kind, laid)
        return self._given(kiosk, entry, kind, laid)

    def _given(self, kiosk: str, entry: LedgerEntry, kind: Kind, laid: LaidOut) -> p.Document | p.Refusal:
        """Make the document, and note that it is given out before it is."""
        order, request = entry.order, entry.order.request
        pdf, pages = self._ports.maker.pdf(kind, laid, order), len(laid.pages) * order.copies
        sha256 = hashlib.sha256(pdf).hexdigest()

        def note(times: int) -> None:
            if times > 1:
                self._ports.audit.record("certificate_repeated", request=request, kiosk=kiosk)
                return
            facts = {"request": request, "kind": order.kind, "issue_number": entry.issue_number, "pages": pages}
            self._ports.audit.record("certificate_issued", kiosk=kiosk, **facts)

        if not self._ports.given.give(request, kiosk, sha256, note):
            return self._refused(kiosk, request, order.kind, RefusalReason.ORDER_INVALID, GIVEN_OUT)
        return p.Document(pdf=pdf, sha256=sha256, pages=pages)

    def outcome(self, kiosk: str, request: str, message: p.Outcome) -> p.Settled | p.Refusal:
        """See IssuerPort."""
        entry = self._known(request, kiosk)
        if not self._ports.ledger.opens_outcome(request, message.key):
            return self._refused(kiosk, request, entry.order.kind, RefusalReason.ORDER_INVALID, WRONG_KEY)
        stands, new = self._ports.ledger.settle(request, message.outcome)
        if new:
            self._ports.audit.record("certificate_settled", request=request, outcome=stands.value)
        return p.Settled(outcome=stands)

    def health(self) -> p.Health:
        """See IssuerPort. Trust, fonts and compiler were loaded before this object could be made."""
        return p.Health(ready=self._ports.register.ready() and len(self._ports.trust) > 0, version=self._ports.version)

    def for_kiosk(self, kiosk: str) -> IssuerPort:
        """The issuer as the kiosk of this name has it."""
        return _ForKiosk(self, kiosk, self._ports.limits, self._ports.audit)

    def _holder(self, kiosk: str, message: p.Authenticate) -> tuple[Credential, str] | RefusalReason:
        """Whose card signed our nonce."""
        nonce = self._ports.challenges.take(message.challenge, kiosk)
        if nonce is None:
            return RefusalReason.CHALLENGE
        try:
            credential = check_credential(message.credential, self._ports.trust, self._ports.clock.now())
        except CredentialRejected as rejected:
            return _REJECTED.get(str(rejected.facts.get("reason")), RefusalReason.CREDENTIAL_UNKNOWN)
        if not credential.verify(p.authentication_message(nonce, kiosk), message.signature):
            return RefusalReason.SIGNATURE
        resident = self._ports.register.resolve(credential.issuer_key, credential.serial)
        if (refused := self._revoked(credential)) is not None:
            return refused
        return (credential, resident) if resident else RefusalReason.NOT_RESIDENT

    def _revoked(self, credential: Credential) -> RefusalReason | None:
        """Why this card may not be used now, by the list that staff keep and by those who say what was revoked."""
        if self._ports.register.is_revoked(credential.issuer_key, credential.serial):
            return RefusalReason.CREDENTIAL_EXPIRED
        verdict = self._ports.revocation.verdict(credential.issuer_key, credential.serial)
        if verdict in (Verdict.GRACE, Verdict.UNAVAILABLE):
            outcome = "served" if verdict is Verdict.GRACE else "refused"
            self._ports.audit.record("revocation_unavailable", outcome=outcome)
        return _VERDICTS.get(verdict)

    def _authorised(self, kiosk: str, order: p.Order) -> IssuerVisit | RefusalReason:
        """The visit whose card signed this order with a nonce of ours."""
        nonce = self._ports.challenges.take(order.challenge, kiosk)
        visit = self._ports.visits.find(order.visit, kiosk)
        if nonce is None or visit is None:
            return RefusalReason.CHALLENGE
        message = p.authorisation_message(nonce, kiosk, order.content)
        return visit if visit.credential.verify(message, order.signature) else RefusalReason.SIGNATURE

    def _accept(self, visit: IssuerVisit, order: p.Order, digest: str) -> LedgerEntry | RefusalReason:
        """Check the order against form and register, lay it out to learn its pages, and give it its number."""
        kind, fee = self._ports.kinds.get(order.content.kind), self._ports.fees_yen.get(order.content.kind)
        if kind is None or fee is None:
            return RefusalReason.KIND_UNAVAILABLE
        house = self._ports.register.household_of(visit.resident)
        if house is None:
            return RefusalReason.COUNTER
        form = kind.form_for(household_of(visit, house))
        if not well_formed(order.content, form, self._ports.max_copies):
            return RefusalReason.ORDER_INVALID
        self._check_orders(visit.kiosk)
        record = record_of(order, visit, kind, form, fee_yen=fee, at=self._ports.clock.now())
        laid = self._laid(kind, house, record, "", visit.credential)
        if isinstance(laid, RefusalReason):
            return laid
        self._ports.visits.prolong(order.visit)
        key = p.outcome_key(order.visit, order.content.request)
        return self._ports.ledger.accept(msgspec.structs.replace(record, pages=len(laid.pages)), digest, key)

    def _check_orders(self, kiosk: str) -> None:
        """Raises TooMany."""
        hour, most = self._ports.clock.now() - timedelta(hours=1), self._ports.limits.allowed.orders_per_hour
        if most and self._ports.ledger.accepted_since(kiosk, hour) >= most:
            raise self._ports.limits.too_many(kiosk, limits.ORDERS)

    def _laid(
        self, kind: Kind, house: HouseholdNow | None, order: OrderRecord, number: str, credential: Credential
    ) -> LaidOut | RefusalReason:
        """The paper as the register has it now, or why it cannot be had now. The rules are asked again; a card revoked
        in the meantime counts too.
        """
        if house is None:
            return RefusalReason.COUNTER
        day = self._ports.clock.now().date()
        refused = (
            may_ask(house, order.requester, day),
            may_have(house, order.requester, order.residents, day, kind.rules),
        )
        if (revoked := self._revoked(credential)) is not None:
            return revoked
        if self._ports.register.resolve(credential.issuer_key, credential.serial) != order.requester:
            return RefusalReason.COUNTER  # unlinked, replaced or moved since the visit began
        if reason := refused[0] or refused[1]:
            return reason
        return self._ports.maker.lay_out(kind, house, order, number) or RefusalReason.COUNTER

    def _known(self, request: str, kiosk: str) -> LedgerEntry:
        entry = self._ports.ledger.find(request)
        if entry is None or entry.order.kiosk != kiosk:
            raise RequestUnknown()
        return entry

    def _offers(self, household: Sequence[HouseholdPerson]) -> list[p.Offer]:
        """The kinds that have a fee, each with its form for this household."""
        return [
            p.Offer(
                kind=kind.name,
                title=kind.title,
                fee_yen=self._ports.fees_yen[kind.name],
                max_copies=self._ports.max_copies,
                form=kind.form_for(household),
            )
            for kind in self._ports.kinds.values()
            if kind.name in self._ports.fees_yen
        ]

    def _refused_visit(self, kiosk: str, reason: RefusalReason) -> p.Refusal:
        self._ports.limits.refusal(kiosk)
        self._ports.audit.record("authentication_refused", reason=reason.value, kiosk=kiosk)
        return p.Refusal(refused=reason)

    def _refused(self, kiosk: str, request: str, kind: str, reason: RefusalReason, told: str = "") -> p.Refusal:
        """The audit holds only the reason that was sent: a disclosure restriction must not show there either. told: a
        reason that says no more of a person, and more of the kiosk.
        """
        self._ports.limits.refusal(kiosk)
        named = request if is_request_id(request) else ""
        self._ports.audit.record(
            "certificate_refused", request=named, kind=kind, reason=told or reason.value, kiosk=kiosk
        )
        return p.Refusal(refused=reason)


T = TypeVar("T")


class _ForKiosk:
    """See IssuerPort. Every call but health counts against the kiosk's limits."""

    def __init__(self, issuer: Issuer, kiosk: str, counted: KioskLimits, audit: AuditSink) -> None:
        self._issuer, self._kiosk, self._limits, self._audit = issuer, kiosk, counted, audit

    def challenge(self) -> p.Challenge:
        """See IssuerPort."""
        return self._counted(lambda: self._issuer.challenge(self._kiosk))

    def authenticate(self, message: p.Authenticate) -> p.Resident | p.Refusal:
        """See IssuerPort."""
        return self._counted(lambda: self._issuer.authenticate(self._kiosk, message))

    def order(self, order: p.Order) -> p.Quote | p.Refusal:
        """See IssuerPort."""
        return self._counted(lambda: self._issuer.order(self._kiosk, order))

    def document(self, request: str, message: p.DocumentRequest) -> p.Document | p.Refusal:
        """See IssuerPort."""
        return self._counted(lambda: self._issuer.document(self._kiosk, request, message))

    def outcome(self, request: str, message: p.Outcome) -> p.Settled | p.Refusal:
        """See IssuerPort."""
        return self._counted(lambda: self._issuer.outcome(self._kiosk, request, message))

    def health(self) -> p.Health:
        """See IssuerPort."""
        return self._issuer.health()

    def _counted(self, call: Callable[[], T]) -> T:
        """The first time that a kiosk meets a limit is in the audit; a flood then writes no more. Raises TooMany."""
        try:
            self._limits.request(self._kiosk)
            return call()
        except TooMany as error:
            if error.facts["first"]:
                self._audit.record("kiosk_limited", kiosk=self._kiosk, limit=error.facts["limit"])
            raise
