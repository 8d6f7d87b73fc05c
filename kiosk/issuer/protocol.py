"""The protocol between kiosk and issuer: one struct a message, JSON over HTTP, bytes as base64.

The kiosk receives only what the screens of this one visit need. No message names the kiosk: who asks is the credential
of the connection, or the socket it came by (kiosk/issuer/README.md).

POST /v3/challenge            -> Challenge
POST /v3/authenticate         Authenticate -> Resident | Refusal
POST /v3/requests             Order (signed) -> Quote | Refusal          idempotent by request id
POST /v3/requests/ID/document DocumentRequest -> Document | Refusal     given out once, see DocumentRequest
POST /v3/requests/ID/outcome  Outcome -> Settled | Refusal              idempotent by request id
GET  /v3/health               -> Health

A Refusal is an answer (HTTP 200 with "refused"), not a fault: faults are HTTP 4xx/5xx with {"code": ...}. Of these a
kiosk expects 403 "kiosk.refused" (revoked, or not the box it was), 410 "protocol.retired" (it is of an earlier release)
and 429 "kiosk.too_many" (later again).
"""

from __future__ import annotations

import hashlib
import hmac
from enum import Enum

import msgspec

from kiosk.issuer.form import Answers, Form
from kiosk.issuer.wire import ByLanguage, CredentialDer, Name, RequestText, Signature, Token, TokenOrNone, WireStruct

VERSION = "v3"
"""The first part of every path."""
KIOSK_REFUSED, KIOSK_NOT_ASKED, PROTOCOL_RETIRED = "kiosk.refused", "kiosk.not_asked", "protocol.retired"
PATH_UNKNOWN = "path.unknown"
"""Codes of faults: not admitted; nobody can say whether it is admitted (503); of an earlier release; of a later one."""


class RefusalReason(Enum):
    """Why the issuer refuses. COUNTER is the neutral one: disclosure restriction and its like must look the same as
    any other case for the counter (docs/sources.md#neutral-refusal).
    """

    CREDENTIAL_EXPIRED = "credential_expired"
    CREDENTIAL_UNKNOWN = "credential_unknown"
    SIGNATURE = "signature"
    CHALLENGE = "challenge"
    NOT_RESIDENT = "not_resident"
    UNDER_AGE = "under_age"
    COUNTER = "counter"
    CLOSED = "closed"
    KIND_UNAVAILABLE = "kind_unavailable"
    ORDER_INVALID = "order_invalid"


class OutcomeKind(Enum):
    """What became of a quoted certificate: DELIVERED paper in hand; VOIDED never paid or never printed;
    UNKNOWN only paper can tell.
    """

    DELIVERED = "delivered"
    VOIDED = "voided"
    UNKNOWN = "unknown"


class Challenge(WireStruct, frozen=True, kw_only=True):
    """A single-use nonce of 32 bytes, valid for ``seconds`` from now."""

    challenge: Token
    nonce: bytes
    seconds: int


class Authenticate(WireStruct, frozen=True, kw_only=True):
    """The card's first signature, over ``authentication_message``. credential: DER."""

    challenge: Token
    credential: CredentialDer
    signature: Signature


class Offer(WireStruct, frozen=True, kw_only=True):
    """A kind that may be asked for now: its name, what it is called, its fee per copy in yen, and what may be chosen.
    Names of the household stand in the form where it asks for persons, and nowhere else.
    """

    kind: Name
    title: ByLanguage
    fee_yen: int
    max_copies: int
    form: Form


class Resident(WireStruct, frozen=True, kw_only=True):
    """The authenticated resident. ``visit`` is the issuer's token for the following calls; ``binding`` is an opaque
    per-visit tag of this person, printed into every page and compared by the kiosk's last gate.
    """

    visit: Token
    binding: str
    offers: list[Offer]


class OrderContent(WireStruct, frozen=True, kw_only=True):
    """What the resident confirmed, and the card signs. answers: to every field of the form that was offered, in the
    one way that ``kiosk.issuer.form`` allows.
    """

    request: RequestText
    kind: Name
    answers: Answers
    copies: int


class Order(WireStruct, frozen=True, kw_only=True):
    """OrderContent with the card's second signature, over ``authorisation_message``."""

    visit: Token
    challenge: Token
    content: OrderContent
    signature: Signature


class Quote(WireStruct, frozen=True, kw_only=True):
    """The issuer accepts. fee_yen for all copies; issue_number as printed on the paper; pages of one copy."""

    issue_number: str
    fee_yen: int
    pages: int


class DocumentRequest(WireStruct, frozen=True, kw_only=True):
    """Asks for the rendered certificate of an accepted order. It is given out once, to the kiosk and visit that ordered
    it. A kiosk whose answer was lost asks the same again: within a minute it gets the same bytes, a few times at most;
    after that, or when the paper would be another one by now, ORDER_INVALID.
    """

    visit: Token


class Document(WireStruct, frozen=True, kw_only=True):
    """One PDF that holds all copies one after another. sha256 is hex over ``pdf``. Every page carries the text of
    ``page_mark(request, binding, n, total)``; total counts the pages of all copies.
    """

    pdf: bytes
    sha256: str
    pages: int


class Outcome(WireStruct, frozen=True, kw_only=True):
    """How the request ended, for the issuer's ledger. key: ``outcome_key`` of the visit that ordered; "" for an order
    of a release that had none.
    """

    outcome: OutcomeKind
    key: TokenOrNone = ""


class Settled(WireStruct, frozen=True, kw_only=True):
    """The outcome as the issuer's ledger now holds it: the first one reported stays; only UNKNOWN is replaced, by what
    staff found.
    """

    outcome: OutcomeKind


class Refusal(WireStruct, frozen=True, kw_only=True):
    """An expected refusal."""

    refused: RefusalReason


class Health(WireStruct, frozen=True, kw_only=True):
    """ready: register open, key and fonts loaded. version of the issuer's software."""

    ready: bool
    version: str


def authentication_message(nonce: bytes, kiosk: str) -> bytes:
    """The bytes the card signs to prove that it is present at this kiosk."""
    return msgspec.json.encode(["hiroba authentication 1", nonce, kiosk])


def authorisation_message(nonce: bytes, kiosk: str, content: OrderContent) -> bytes:
    """The bytes the card signs at the confirm screen: nonce, kiosk and the whole order, its answers by field name."""
    return msgspec.json.encode(["hiroba authorisation 2", nonce, kiosk, content], order="deterministic")


def outcome_key(visit: str, request: str) -> str:
    """What the outcome of ``request`` is told with, also when the visit is long over: both sides work it out of the
    visit's token. It opens nothing else, so the kiosk may keep it until the outcome is told.
    """
    return hmac.new(visit.encode(), b"hiroba outcome 1 " + request.encode(), hashlib.sha256).hexdigest()


def page_mark(request: str, binding: str, page: int, total: int) -> str:
    """The mark printed on page ``page`` (from 1) of ``total``: "n/N-" and 16 capitals and digits that bind page,
    request and resident together, so that a page of anyone else's request cannot pass the kiosk's last gate (N1).
    """
    digest = hashlib.sha256(msgspec.json.encode(["hiroba page 1", request, binding, page, total])).hexdigest()
    return f"{page}/{total}-{digest[:16].upper()}"
