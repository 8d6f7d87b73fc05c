"""An issuer in memory, to run the whole kiosk and its error cases without register and typst.

Fills IssuerPort for the one kiosk ``kiosk``. Its papers are plain PDFs that carry the true page marks as text and no
names. Public attributes are the levers: set ``reachable``, ``busy`` or a ``refuse_*`` and the next call answers so; of
the next ``lose_answers`` documents the answer is lost.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kiosk.issuer import protocol as p
from kiosk.issuer.errors import IssuerBusy, IssuerUnreachable, RequestUnknown
from kiosk.issuer.given_documents import MAX_TIMES
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.kinds.kind import HouseholdPerson, Kind
from kiosk.issuer.order import well_formed

Verify = Callable[[bytes, bytes, bytes], bool]
"""(credential DER, message, signature) -> whether the signature holds."""


@dataclass(frozen=True)
class _Visit:
    credential: bytes
    binding: str
    offers: tuple[p.Offer, ...]


@dataclass(frozen=True)
class _Accepted:
    content: p.OrderContent
    visit: str
    quote: p.Quote


class MemoryIssuer:
    """One municipality with one household. names: its members, the card's holder first. kinds: all at the same fee."""

    def __init__(
        self,
        names: Sequence[str] = ("試験 一郎", "試験 花子", "試験 二郎"),
        *,
        kiosk: str = "plaza-simulated",
        fee_yen: int = 300,
        pages_per_copy: int = 1,
        max_copies: int = 5,
        verify: Verify = lambda _credential, _message, _signature: True,
        kinds: Mapping[str, Kind] = KINDS,
    ) -> None:
        self._kinds, self._kiosk = kinds, kiosk
        self._names, self._fee, self._max_copies, self._verify = tuple(names), fee_yen, max_copies, verify
        self._challenges: dict[str, bytes] = {}
        self._visits: dict[str, _Visit] = {}
        self._accepted: dict[str, _Accepted] = {}
        self._given: Counter[str] = Counter()
        self.pages_per_copy = pages_per_copy
        self.reachable = True
        self.ready = True
        self.busy = False
        self.lose_answers = 0
        self.refuse_authentication: p.RefusalReason | None = None
        self.refuse_order: p.RefusalReason | None = None
        self.refuse_document: p.RefusalReason | None = None
        self.outcomes: dict[str, p.OutcomeKind] = {}
        self.change_marks: Callable[[list[str]], list[str]] = list
        """Changes the marks of the pages before they are written, to produce a wrong paper."""

    def challenge(self) -> p.Challenge:
        """See IssuerPort."""
        self._answer()
        name, nonce = secrets.token_urlsafe(16), secrets.token_bytes(32)
        self._challenges[name] = nonce
        return p.Challenge(challenge=name, nonce=nonce, seconds=120)

    def authenticate(self, message: p.Authenticate) -> p.Resident | p.Refusal:
        """See IssuerPort."""
        self._answer()
        nonce = self._challenges.pop(message.challenge, None)
        if nonce is None:
            return p.Refusal(refused=p.RefusalReason.CHALLENGE)
        signed = p.authentication_message(nonce, self._kiosk)
        if not self._verify(message.credential, signed, message.signature):
            return p.Refusal(refused=p.RefusalReason.SIGNATURE)
        if self.refuse_authentication:
            return p.Refusal(refused=self.refuse_authentication)
        return self._open_visit(message)

    def _open_visit(self, message: p.Authenticate) -> p.Resident:
        token, binding = secrets.token_urlsafe(16), secrets.token_hex(16)
        people = [
            HouseholdPerson(secrets.token_urlsafe(8), name, is_self=place == 0)
            for place, name in enumerate(self._names)
        ]
        offers = [self._offer(kind, people) for kind in self._kinds.values()]
        self._visits[token] = _Visit(message.credential, binding, tuple(offers))
        return p.Resident(visit=token, binding=binding, offers=offers)

    def _offer(self, kind: Kind, people: Sequence[HouseholdPerson]) -> p.Offer:
        form = kind.form_for(people)
        return p.Offer(kind=kind.name, title=kind.title, fee_yen=self._fee, max_copies=self._max_copies, form=form)

    def order(self, order: p.Order) -> p.Quote | p.Refusal:
        """See IssuerPort."""
        self._answer()
        known = self._accepted.get(order.content.request)
        if known is not None:
            same = known.content == order.content and known.visit == order.visit
            return known.quote if same else p.Refusal(refused=p.RefusalReason.ORDER_INVALID)
        refused = self.refuse_order or self._wrong_with(order)
        if refused:
            return p.Refusal(refused=refused)
        quote = p.Quote(
            issue_number=f"M-{len(self._accepted) + 1:06d}",
            fee_yen=self._fee * order.content.copies,
            pages=self.pages_per_copy,
        )
        self._accepted[order.content.request] = _Accepted(order.content, order.visit, quote)
        return quote

    def _wrong_with(self, order: p.Order) -> p.RefusalReason | None:
        nonce, visit, content = (
            self._challenges.pop(order.challenge, None),
            self._visits.get(order.visit),
            order.content,
        )
        if nonce is None or visit is None:
            return p.RefusalReason.CHALLENGE
        signed = p.authorisation_message(nonce, self._kiosk, content)
        if not self._verify(visit.credential, signed, order.signature):
            return p.RefusalReason.SIGNATURE
        offer = next((offer for offer in visit.offers if offer.kind == content.kind), None)
        if offer is None:
            return p.RefusalReason.KIND_UNAVAILABLE
        return None if well_formed(content, offer.form, self._max_copies) else p.RefusalReason.ORDER_INVALID

    def document(self, request: str, message: p.DocumentRequest) -> p.Document | p.Refusal:
        """See IssuerPort."""
        self._answer()
        accepted = self._accepted_of(request)
        self._given[request] += 1
        if accepted.visit != message.visit or request in self.outcomes or self._given[request] > MAX_TIMES:
            return p.Refusal(refused=p.RefusalReason.ORDER_INVALID)
        if self.refuse_document:
            return p.Refusal(refused=self.refuse_document)
        total, binding = self.pages_per_copy * accepted.content.copies, self._visits[accepted.visit].binding
        marks = self.change_marks([p.page_mark(request, binding, n, total) for n in range(1, total + 1)])
        pdf = write_pdf(marks)
        if self.lose_answers:
            self.lose_answers -= 1
            raise IssuerUnreachable()
        return p.Document(pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest(), pages=total)

    def outcome(self, request: str, message: p.Outcome) -> p.Settled | p.Refusal:
        """See IssuerPort."""
        self._answer()
        if message.key != p.outcome_key(self._accepted_of(request).visit, request):
            return p.Refusal(refused=p.RefusalReason.ORDER_INVALID)
        if self.outcomes.get(request, p.OutcomeKind.UNKNOWN) is p.OutcomeKind.UNKNOWN:
            self.outcomes[request] = message.outcome
        return p.Settled(outcome=self.outcomes[request])

    def health(self) -> p.Health:
        """See IssuerPort."""
        self._answer()
        return p.Health(ready=self.ready, version="memory")

    def _accepted_of(self, request: str) -> _Accepted:
        accepted = self._accepted.get(request)
        if accepted is None:
            raise RequestUnknown()
        return accepted

    def _answer(self) -> None:
        if not self.reachable:
            raise IssuerUnreachable()
        if self.busy:
            raise IssuerBusy()


def write_pdf(texts: Sequence[str]) -> bytes:
    """A PDF 1.4 of A4 pages, one a text (ASCII), as device.strict_pdf reads them; the text can be read back
    (ISO 32000-1 §7.5).
    """
    kids = " ".join(f"{3 * n + 4} 0 R" for n in range(len(texts)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(texts)}/Kids[{kids}]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, text in enumerate(texts):
        drawing = "\n".join([_run("SPECIMEN", 24, 700), _run(text, 8, 40)] if text else [_run("SPECIMEN", 24, 700)])
        place = 3 * number + 4
        entries = f"/Resources {place + 1} 0 R/MediaBox[0 0 595.2756 841.8898]/Parent 2 0 R/Contents {place + 2} 0 R"
        objects.append(f"<</Type/Page{entries}>>")
        objects.append("<</ColorSpace<</c0/DeviceGray>>/Font<</f0 3 0 R>>>>")
        objects.append(f"<</Length {len(drawing)}>>\nstream\n{drawing}\nendstream")
    return _file(objects)


def _run(text: str, size: int, up: int) -> str:
    safe = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"q 1 0 0 -1 60 {up} cm/c0 cs 0 scn\nBT 0 Tr/f0 {size} Tf 1 0 0 -1 0 0 Tm({safe})Tj\nET\nQ"


def _file(objects: Sequence[str]) -> bytes:
    body, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode("ascii")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n"
    return body + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode("ascii")
