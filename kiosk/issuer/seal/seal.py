"""The city's seal on a page: what was issued, signed as COSE_Sign1 (RFC 9052) with Ed25519; the only importer of cbor2.

The claims (CWT, RFC 8392) hold nothing about a person: who issued what kind under which number and when, which page
of how many, and the first 16 bytes of SHA-256 over the page's text. Whoever has the PDF can compare that; whoever has
only the paper compares what the seal says with what he reads. The same facts give the same bytes (RFC 8032 is
deterministic), so a page rendered again is the same page. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from io import BytesIO
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.issuer.seal import base45

PREFIX = "HRB1:"
"""Before the Base45 text, so that any reader can tell whose code it is, and of which version."""
_TAG, _ALG, _KID, _EDDSA = 18, 1, 4, -8  # RFC 9052 §4.2, §3.1; RFC 9053 §2.2
_ISSUER, _ISSUED_AT, _PAGE = 1, 6, -65537  # RFC 8392 §3.1, and one claim for private use (§9.1)
_MARK = re.compile(r"\d+/\d+-[0-9A-F]{16}(?![0-9A-F])")
_LONGEST = 1000  # characters; ours are about 240


@dataclass(frozen=True)
class SealFacts:
    """What a seal certifies. issuer: the municipality's code. kind: its name. at: whole seconds. page of pages:
    within one copy. digest: text_digest of the page.
    """

    issuer: str
    kind: str
    number: str
    at: datetime
    page: int
    pages: int
    digest: bytes


class Verdict(Enum):
    """GENUINE: signed by a key we know. CHANGED: it names a key we know, and that key never signed this, or the page's
    text is another. UNKNOWN: no seal, or one of a key we do not know.
    """

    GENUINE = "genuine"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Judged:
    """A verdict, with what the seal says and the name of its key; facts None: nothing can be said."""

    verdict: Verdict
    facts: SealFacts | None = None
    key: str = ""


class Sealer:
    """Signs with the city's key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._head = cbor2.dumps({_ALG: _EDDSA, _KID: key_id(key.public_key())})

    def seal(self, facts: SealFacts) -> str:
        """The text of the page's code."""
        page = [facts.kind, facts.number, facts.page, facts.pages, facts.digest]
        claims = cbor2.dumps({_ISSUER: facts.issuer, _ISSUED_AT: int(facts.at.timestamp()), _PAGE: page})
        signature = self._key.sign(_signed(self._head, claims))
        return PREFIX + base45.encode(cbor2.dumps(cbor2.CBORTag(_TAG, [self._head, {}, claims, signature])))


def judge(seal: str, keys: Mapping[str, Ed25519PublicKey], text: str | None = None) -> Judged:
    """The verdict on a code's text, and on the page's text when there is one. keys: name -> key."""
    try:
        head, claims, signature = _opened(seal)
        kid = _read(head)[_KID]
    except (ValueError, KeyError, TypeError):
        return Judged(Verdict.UNKNOWN)
    name = next((name for name, key in keys.items() if key_id(key) == kid), None)
    if name is None:
        return Judged(Verdict.UNKNOWN)
    try:
        keys[name].verify(signature, _signed(head, claims))
        facts = _facts(claims)
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return Judged(Verdict.CHANGED, key=name)
    same = text is None or text_digest(text) == facts.digest
    return Judged(Verdict.GENUINE if same else Verdict.CHANGED, facts, name)


def text_digest(text: str) -> bytes:
    """Of a page's text as written or as read back from the PDF: without white space, and without the kiosk's mark,
    which differs from copy to copy. A reader may give a hyphen at a line's end as U+0002.
    """
    plain = "".join(_MARK.sub("", text).replace("\x02", "-").split())
    return hashlib.sha256(plain.encode()).digest()[:16]


def key_id(key: Ed25519PublicKey) -> bytes:
    """Eight bytes that name the key."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:8]


def _signed(head: bytes, claims: bytes) -> bytes:
    """Sig_structure (RFC 9052 §4.4)."""
    return bytes(cbor2.dumps(["Signature1", head, b"", claims]))


def _opened(seal: str) -> tuple[bytes, bytes, bytes]:
    """Protected header, payload and signature. Raises ValueError, TypeError."""
    if not seal.startswith(PREFIX) or len(seal) > _LONGEST:
        raise ValueError("no seal of ours")
    found = _read(base45.decode(seal.removeprefix(PREFIX)))
    if not isinstance(found, cbor2.CBORTag) or found.tag != _TAG:
        raise ValueError("no COSE_Sign1")
    head, _, claims, signature = found.value
    if not all(isinstance(part, bytes) for part in (head, claims, signature)):
        raise ValueError("no COSE_Sign1")
    return head, claims, signature


def _facts(claims: bytes) -> SealFacts:
    """Raises ValueError, KeyError, TypeError."""
    found = _read(claims)
    kind, number, page, pages, digest = found[_PAGE]
    at = datetime.fromtimestamp(found[_ISSUED_AT], UTC)
    return SealFacts(str(found[_ISSUER]), str(kind), str(number), at, int(page), int(pages), bytes(digest))


def _read(content: bytes) -> Any:
    """One CBOR item and nothing behind it. Raises ValueError."""
    stream = BytesIO(content)
    try:
        found = cbor2.load(stream)
    except Exception as error:  # untrusted bytes: any error of the parser means no seal
        raise ValueError("not CBOR") from error
    if stream.read(1):
        raise ValueError("not one item")
    return found
