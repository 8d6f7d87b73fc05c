"""One-time enrolment codes: 80 random bits, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata

from sqlalchemy.orm import Session

from provisioning.cityhall.tables import Code

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: nothing that is mistaken on paper
_LETTERS = 16
BOX_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
"""A DNS label in small letters (RFC 1035 §2.3.1)."""


def make_code(session: Session, box: str, now: int, days: int) -> str:
    """A new code for ``box``, as XXXX-XXXX-XXXX-XXXX. An older unused code of that box ends. now: unix seconds."""
    for old in session.query(Code).filter(Code.box == box, Code.used_at.is_(None), Code.expires_at > now):
        old.expires_at = now
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))
    session.add(Code(hash=code_hash(letters), box=box, made_at=now, expires_at=now + days * 86400))
    return "-".join(letters[i : i + 4] for i in range(0, _LETTERS, 4))


def code_hash(typed: str) -> str:
    """The hash a code is kept under; case, width, hyphens and the letters O, I, L make no difference."""
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed)).upper()
    return hashlib.sha256(plain.translate(str.maketrans("OIL", "011")).encode("utf-8", "replace")).hexdigest()
