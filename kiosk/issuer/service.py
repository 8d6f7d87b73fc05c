"""The issuer itself: one method a message of the protocol, whatever carries it. Fills IssuerPort.

Keeps nothing between calls but what lies in the stores, so any number of workers may answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from device.audit import AuditSink
from device.card.credential import Credential, TrustStore, check_credential
from device.clock import Clock
from device.errors import CredentialRejected
from kiosk.issuer import protocol as p
from kiosk.issuer.challenges import Challenges, hashed
from kiosk.issuer.eligibility import RENDERED, is_request_id, may_ask, may_have, well_formed
from kiosk.issuer.errors import RequestUnknown
from kiosk.issuer.kinds.residence_record.sheet import Sheet, Stamp, residence_record, words_of
from kiosk.issuer.ledger import Accepted, Ledger, Wanted, order_digest
from kiosk.issuer.paper.composition import compose, page_text
from kiosk.issuer.paper.glyphs import GlyphCheck
from kiosk.issuer.paper.layout import PagePlan, plan
from kiosk.issuer.paper.typst_renderer import Press
from kiosk.issuer.protocol import RefusalReason
from kiosk.issuer.register.records import HouseholdNow
from kiosk.issuer.register.register import RegisterPort
from kiosk.issuer.seal.codes import png_of
from kiosk.issuer.seal.seal import Sealer, SealFacts, text_digest
from kiosk.issuer.visits import IssuerVisit, Visits

_REJECTED = {"validity": RefusalReason.CREDENTIAL_EXPIRED}


@dataclass(frozen=True)
class Desk:
    """What the issuer works with. fees_yen: kind -> yen a copy. authority: who certifies, as printed.
    municipality: its national code, for the seal.
    """

    register: RegisterPort
    trust: TrustStore
    challenges: Challenges
    visits: Visits
    ledger: Ledger
    glyphs: GlyphCheck
    press: Press
    sealer: Sealer
    audit: AuditSink
    clock: Clock
    fees_yen: Mapping[str, int]
    max_copies: int
    authority: str
    municipality: str
    version: str


class Issuer:
    """See IssuerPort."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def challenge(self, kiosk: str) -> p.Challenge:
        """See IssuerPort."""
        return self._desk.challenges.give(kiosk)

    def authenticate(self, message: p.Authenticate) -> p.Resident | p.Refusal:
        """See IssuerPort. Chain and validity, signature over our own nonce, the pair (issuer, serial), revocation,
        then the register (docs/sources.md#finding-the-resident).
        """
        found = self._holder(message)
        if isinstance(found, RefusalReason):
            return self._turned_away(found)
        credential, resident = found
        house = self._desk.register.household_of(resident)
        refused = may_ask(house, resident, self._desk.clock.now().date())
        if refused or house is None:
            return self._turned_away(refused or RefusalReason.NOT_RESIDENT)
        members = [m.resident for m in house.members]
        token, visit = self._desk.visits.open(message.kiosk, credential, resident, members)
        self._desk.audit.record("resident_authenticated", visit=visit.reference)
        people = [
            p.Person(person=person, name=member.name, is_self=member.resident == resident)
            for person, member in zip(visit.persons, house.members, strict=True)
        ]
        return p.Resident(visit=token, binding=visit.binding, household=people, offers=self._offers())

    def order(self, order: p.Order) -> p.Quote | p.Refusal:
        """See IssuerPort."""
        digest = order_digest(order.kiosk, order.visit, order.content)
        earlier = self._desk.ledger.find(order.content.request)
        if earlier is None:
            visit = self._authorised(order)
            accepted = visit if isinstance(visit, RefusalReason) else self._accept(visit, order, digest)
            if isinstance(accepted, RefusalReason):
                return self._refused(order.content.request, order.content.kind, accepted)
            earlier = accepted
        if earlier.digest != digest:
            return self._refused(order.content.request, order.content.kind, RefusalReason.ORDER_INVALID)
        wanted = earlier.wanted
        return p.Quote(issue_number=earlier.issue_number, fee_yen=wanted.fee_yen, pages=wanted.pages)

    def document(self, request: str, message: p.DocumentRequest) -> p.Document | p.Refusal:
        """See IssuerPort. Everything is read and checked again; nothing rendered was kept. Once the outcome is told
        or the visit is over, there is no document any more.
        """
        accepted = self._known(request, message.kiosk)
        wanted = accepted.wanted
        visit = self._desk.visits.find(message.visit, message.kiosk)
        if visit is None or hashed(message.visit) != wanted.visit or accepted.outcome is not None:
            return self._refused(request, wanted.kind, RefusalReason.ORDER_INVALID)
        laid = self._laid(wanted, accepted.issue_number, visit.credential)
        if isinstance(laid, RefusalReason):
            return self._refused(request, wanted.kind, laid)
        sheet, pages = laid
        seals = self._seals(wanted, sheet, pages)
        paper = compose(sheet, pages, wanted.copies, request, wanted.binding, seals=seals)
        pdf = self._desk.press.render(paper, wanted.at)
        self._desk.audit.record(
            "certificate_issued",
            request=request,
            kind=wanted.kind.value,
            issue_number=accepted.issue_number,
            pages=len(paper.pages),
        )
        return p.Document(pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest(), pages=len(paper.pages))

    def outcome(self, request: str, message: p.Outcome) -> p.Settled:
        """See IssuerPort."""
        self._known(request, message.kiosk)
        stands, new = self._desk.ledger.settle(request, message.outcome)
        if new:
            self._desk.audit.record("certificate_settled", request=request, outcome=stands.value)
        return p.Settled(outcome=stands)

    def health(self) -> p.Health:
        """See IssuerPort. Trust, fonts and compiler were loaded before this object could be made."""
        return p.Health(ready=self._desk.register.ready() and len(self._desk.trust) > 0, version=self._desk.version)

    def _holder(self, message: p.Authenticate) -> tuple[Credential, str] | RefusalReason:
        """Whose card signed our nonce."""
        nonce = self._desk.challenges.take(message.challenge, message.kiosk)
        if nonce is None:
            return RefusalReason.CHALLENGE
        try:
            credential = check_credential(message.credential, self._desk.trust, self._desk.clock.now())
        except CredentialRejected as rejected:
            return _REJECTED.get(str(rejected.facts.get("reason")), RefusalReason.CREDENTIAL_UNKNOWN)
        if not credential.verify(p.authentication_message(nonce, message.kiosk), message.signature):
            return RefusalReason.SIGNATURE
        resident = self._desk.register.resolve(credential.issuer_key, credential.serial)
        if self._desk.register.is_revoked(credential.issuer_key, credential.serial):
            return RefusalReason.CREDENTIAL_EXPIRED
        return (credential, resident) if resident else RefusalReason.NOT_RESIDENT

    def _authorised(self, order: p.Order) -> IssuerVisit | RefusalReason:
        """The visit whose card signed this very order over a nonce of ours."""
        nonce = self._desk.challenges.take(order.challenge, order.kiosk)
        visit = self._desk.visits.find(order.visit, order.kiosk)
        if nonce is None or visit is None:
            return RefusalReason.CHALLENGE
        message = p.authorisation_message(nonce, order.kiosk, order.content)
        return visit if visit.credential.verify(message, order.signature) else RefusalReason.SIGNATURE

    def _accept(self, visit: IssuerVisit, order: p.Order, digest: str) -> Accepted | RefusalReason:
        """Check the order against the register, lay it out to learn its pages, and give it its number."""
        content, now = order.content, self._desk.clock.now()
        if refused := well_formed(content, visit.persons, self._desk.fees_yen, self._desk.max_copies):
            return refused
        wanted = Wanted(
            request=content.request,
            kiosk=order.kiosk,
            visit=hashed(order.visit),
            requester=visit.resident,
            residents=[visit.persons[person] for person in content.persons],
            kind=content.kind,
            options=content.options,
            copies=content.copies,
            binding=visit.binding,
            fee_yen=self._desk.fees_yen[content.kind.value] * content.copies,
            pages=0,
            at=now,
        )
        laid = self._laid(wanted, "", visit.credential)
        if isinstance(laid, RefusalReason):
            return laid
        self._desk.visits.prolong(order.visit)
        return self._desk.ledger.accept(msgspec.structs.replace(wanted, pages=len(laid[1])), digest)

    def _laid(
        self, wanted: Wanted, number: str, credential: Credential
    ) -> tuple[Sheet, list[PagePlan]] | RefusalReason:
        """The words of the paper as the register has them now and their places, or why it cannot be had now."""
        house = self._desk.register.household_of(wanted.requester)
        refused = self._barred(house, wanted.requester, wanted.residents, credential)
        if refused or house is None:
            return refused or RefusalReason.COUNTER
        stamp = Stamp(number=number, authority=self._desk.authority, day=wanted.at.date())
        sheet = residence_record(house, wanted.residents, wanted.options, stamp)
        if self._desk.glyphs.missing(words_of(sheet)):
            return RefusalReason.COUNTER
        pages = plan(sheet, self._desk.glyphs.width)
        return (sheet, pages) if pages else RefusalReason.COUNTER

    def _seals(self, wanted: Wanted, sheet: Sheet, pages: Sequence[PagePlan]) -> list[bytes]:
        """The city's seal for every page of a copy, as pictures; the same for all copies."""
        facts = [
            SealFacts(
                issuer=self._desk.municipality,
                kind=wanted.kind,
                number=sheet.number,
                at=wanted.at.replace(microsecond=0),
                page=place,
                pages=len(pages),
                digest=text_digest(page_text(sheet, pages, place)),
            )
            for place in range(1, len(pages) + 1)
        ]
        return [png_of(self._desk.sealer.seal(page)) for page in facts]

    def _barred(
        self, house: HouseholdNow | None, resident: str, persons: Sequence[str], credential: Credential
    ) -> RefusalReason | None:
        """The rules, asked again; a card revoked in the meantime counts too."""
        if house is None:
            return RefusalReason.COUNTER
        refused = (may_ask(house, resident, self._desk.clock.now().date()), may_have(house, persons))
        revoked = self._desk.register.is_revoked(credential.issuer_key, credential.serial)
        return RefusalReason.CREDENTIAL_EXPIRED if revoked else refused[0] or refused[1]

    def _known(self, request: str, kiosk: str) -> Accepted:
        accepted = self._desk.ledger.find(request)
        if accepted is None or accepted.wanted.kiosk != kiosk:
            raise RequestUnknown()
        return accepted

    def _offers(self) -> list[p.Offer]:
        """The kinds that have a fee and can be made, in the protocol's order."""
        fees = self._desk.fees_yen
        return [
            p.Offer(kind=kind, fee_yen=fees[kind.value], max_copies=self._desk.max_copies)
            for kind in p.Kind
            if kind in RENDERED and kind.value in fees
        ]

    def _turned_away(self, reason: RefusalReason) -> p.Refusal:
        self._desk.audit.record("authentication_refused", reason=reason.value)
        return p.Refusal(refused=reason)

    def _refused(self, request: str, kind: p.Kind, reason: RefusalReason) -> p.Refusal:
        """The audit holds the told reason alone: a restriction must not show there either."""
        named = request if is_request_id(request) else ""
        self._desk.audit.record("certificate_refused", request=named, kind=kind.value, reason=reason.value)
        return p.Refusal(refused=reason)
