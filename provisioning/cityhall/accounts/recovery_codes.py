"""Recovery codes: ten for the day on which the telephone or key is gone; each works once; kept as hashes. Pure."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata

HOW_MANY = 10
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: nothing that is mistaken on paper
_LETTERS = 12
"""60 random bits, so a plain hash tells nobody the code."""


def make_codes() -> tuple[str, ...]:
    """New codes, as XXXX-XXXX-XXXX."""
    made = ("".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS)) for _ in range(HOW_MANY))
    return tuple("-".join(letters[i : i + 4] for i in range(0, _LETTERS, 4)) for letters in made)


def hash_for(staff: str, typed: str) -> str:
    """What is kept. Case, width, hyphens and the letters O, I, L make no difference."""
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed)).upper().translate(str.maketrans("OIL", "011"))
    return hashlib.sha256(f"{staff}\n{plain}".encode("utf-8", "replace")).hexdigest()
