"""Keys of an encrypted volume. Pure.

A box without a TPM has nothing that a thief of its card does not have. So its key is made of two halves: one lies on
the card, the other at city hall; either alone is 256 random bits that say nothing about the key.
"""

from __future__ import annotations

import re
import secrets
import unicodedata

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from device.secrets import Secret

_INFO = b"hiroba storage 1"
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: nothing that is mistaken on paper
_RECOVERY_LETTERS = 32
UNLOCK_CONTEXT = b"hiroba unlock 1\x00"
"""Before what the box signs when it asks for city hall's half."""


def joined(box_share: str, hall_share: str, volume: str) -> Secret:
    """The volume's key of both halves (64 hex digits each), as text for cryptsetup."""
    halves = bytes.fromhex(box_share) + bytes.fromhex(hall_share)
    made = HKDF(hashes.SHA256(), 32, volume.encode("ascii"), _INFO).derive(halves)
    return Secret(made.hex().encode("ascii"))


def new_share() -> str:
    """One half: 256 random bits, hex."""
    return secrets.token_hex(32)


def new_recovery_key() -> str:
    """160 random bits for paper, as eight groups of four."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_RECOVERY_LETTERS))
    return "-".join(letters[i : i + 4] for i in range(0, _RECOVERY_LETTERS, 4))


def recovery_key(typed: str) -> Secret:
    """A recovery key as staff typed it; case, width, hyphens and the letters O, I, L make no difference."""
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed)).upper().translate(str.maketrans("OIL", "011"))
    return Secret("-".join(plain[i : i + 4] for i in range(0, len(plain), 4)).encode("utf-8"))


def unlock_message(volume: str, have: str, then: str) -> bytes:
    """What the box signs: bound to the volume and to one pair of the chain."""
    return UNLOCK_CONTEXT + f"{volume}/{have}/{then}".encode("ascii")
