"""The city's seal on a page: what was issued, signed as COSE_Sign1 (RFC 9052) with Ed25519.

The claims (CWT, RFC 8392) hold nothing about a person: who issued what kind under which number and when, which page
of how many, and the first 16 bytes of a SHA-256. A seal of form 2, which we write, has that of the whole PDF but its
codes (device.strict_pdf), so whoever has the PDF can compare every stroke on every page. A seal of form 1 (release 0.1)
has that of the page's words. Whoever has only the paper compares what the seal says with what he reads. The same facts
give the same bytes (RFC 8032 is deterministic), so a page rendered again is the same page. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.issuer.seal import base45, cose
from kiosk.issuer.seal.cose import key_id
from kiosk.issuer.seal.seal_keys import SealKey

FORM_1, FORM_2 = "HRB1:", "HRB2:"
"""Before the Base45 text, so that any reader can tell whose code it is, and of which form."""
FORMS = (FORM_1, FORM_2)
_ISSUER, _ISSUED_AT = 1, 6  # RFC 8392 §3.1
_CLAIM = {FORM_1: -65537, FORM_2: -65538}  # for private use (§9.1)
_MARK = re.compile(r"\d+/\d+-[0-9A-F]{16}(?![0-9A-F])")
_LONGEST = 1000  # characters; ours are about 240


@dataclass(frozen=True)
class SealFacts:
    """What a seal certifies. issuer: the municipality's code. kind: its name. at: whole seconds. page of pages:
    within one copy. digest: drawing_digest of the PDF; in form 1, text_digest of the page.
    """

    issuer: str
    kind: str
    number: str
    at: datetime
    page: int
    pages: int
    digest: bytes


class Verdict(Enum):
    """GENUINE: a key of the city, in its time, signed all that is here. NOT_COMPARED: it signed the seal, and all or
    some of what is here could not be held against it. CHANGED: the seal names a key of the city, and that key never
    signed this. UNKNOWN: no seal, or one of a key we do not know.
    """

    GENUINE = "genuine"
    NOT_COMPARED = "not_compared"
    CHANGED = "changed"
    UNKNOWN = "unknown"


class Reason(Enum):
    """Why it is not genuine. NO_SEAL, UNKNOWN_KEY: nothing to go by. SIGNATURE: not of that key, or in another
    algorithm. KEY_DATES: sealed outside the key's time. STRUCTURE: the PDF holds what our press does not make. CONTENT:
    other content than was sealed. PAGES: pages are missing, doubled, or of other papers. WORDS_ONLY: an old seal, which
    knows the words and not their places. SEAL_ONLY: a picture or a code, where nothing can be compared.
    """

    NO_SEAL = "no_seal"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    KEY_DATES = "key_dates"
    STRUCTURE = "structure"
    CONTENT = "content"
    PAGES = "pages"
    WORDS_ONLY = "words_only"
    SEAL_ONLY = "seal_only"


@dataclass(frozen=True)
class Judged:
    """What one seal says, and the name of its key. reason None: the key signed it in its time; facts None: nothing can
    be said.
    """

    reason: Reason | None
    facts: SealFacts | None = None
    key: str = ""
    form: str = FORM_2

    @property
    def verdict(self) -> Verdict:
        """On the seal alone: never GENUINE."""
        if self.reason is None:
            return Verdict.NOT_COMPARED
        return Verdict.UNKNOWN if self.reason in {Reason.NO_SEAL, Reason.UNKNOWN_KEY} else Verdict.CHANGED


class Sealer:
    """Signs with the city's key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def seal(self, facts: SealFacts) -> str:
        """The text of the page's code, in form 2. Its length does not depend on the digest."""
        page = [facts.kind, facts.number, facts.page, facts.pages, facts.digest]
        claims = {_ISSUER: facts.issuer, _ISSUED_AT: int(facts.at.timestamp()), _CLAIM[FORM_2]: page}
        return FORM_2 + base45.encode(cose.sign(self._key, claims))


def judge(seal: str, keys: Mapping[str, SealKey]) -> Judged:
    """Whose seal a code's text is and what it says. keys: by name."""
    form = next((form for form in FORMS if seal.startswith(form)), None)
    if form is None or len(seal) > _LONGEST:
        return Judged(Reason.NO_SEAL)
    try:
        message = cose.opened(base45.decode(seal.removeprefix(form)))
    except ValueError:
        return Judged(Reason.NO_SEAL)
    name = next((name for name, key in keys.items() if key_id(key.public) == message.key), None)
    if name is None:
        return Judged(Reason.UNKNOWN_KEY)
    try:
        facts = _facts(message.verified(keys[name].public), form)
    except (InvalidSignature, ValueError, KeyError, TypeError, OverflowError):
        return Judged(Reason.SIGNATURE, key=name)
    return Judged(None if keys[name].valid_at(facts.at) else Reason.KEY_DATES, facts, name, form)


def text_digest(text: str) -> bytes:
    """Of a page's text as read back from the PDF, for form 1: without white space, and without the kiosk's mark, which
    differs from copy to copy. A reader may give a hyphen at a line's end as U+0002.
    """
    plain = "".join(_MARK.sub("", text).replace("\x02", "-").split())
    return hashlib.sha256(plain.encode()).digest()[:16]


def _facts(claims: object, form: str) -> SealFacts:
    """Raises ValueError, KeyError, TypeError, OverflowError."""
    if not isinstance(claims, dict):
        raise ValueError("no claims")
    kind, number, page, pages, digest = claims[_CLAIM[form]]
    at = datetime.fromtimestamp(claims[_ISSUED_AT], UTC)
    return SealFacts(str(claims[_ISSUER]), str(kind), str(number), at, int(page), int(pages), bytes(digest))
