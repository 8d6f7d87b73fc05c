"""Time-based one-time codes of an app on staff's telephone (RFC 6238: SHA-1, 30 s, six digits, as all apps know)."""

from __future__ import annotations

import base64
import re
import secrets
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_SECONDS = 30
_DIGITS = 6
_SECRET_BYTES = 20  # RFC 4226 §4, R6
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def new_secret() -> str:
    """A secret in base 32, as apps take it."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def address_of(secret: str, staff: str, city: str) -> str:
    """The otpauth: address that an app reads from a QR code."""
    issuer = quote(f"Hiroba {city}".strip(), safe="")
    return f"otpauth://totp/{issuer}:{quote(staff, safe='')}?secret={secret}&issuer={issuer}"


def code_at(secret: str, seconds: int) -> str:
    """The code that an app shows at ``seconds`` (unix)."""
    # SHA-1 is RFC 6238's default and the only hash that every app knows; its collisions do not matter to an HMAC.
    one = TOTP(base64.b32decode(secret), _DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303
    return one.generate(seconds).decode("ascii")


def step_of(secret: str, code: str, now: int, after_step: int) -> int | None:
    """The time step that ``code`` is of, or None when it is wrong or not later than ``after_step`` (used once, RFC 6238
    §5.2). One step to either side is taken: clocks differ.
    """
    plain = code.replace(" ", "")
    if not _CODE.fullmatch(plain):
        return None
    steps = range(now // STEP_SECONDS - 1, now // STEP_SECONDS + 2)
    right = [step for step in steps if secrets.compare_digest(code_at(secret, step * STEP_SECONDS), plain)]
    return next((step for step in right if step > after_step), None)
