"""Keys and signed form tokens: proof that a form was made by this portal for this phone, not long ago.

A token carries the seconds of the machine's monotonic clock, which all workers share and no clock step
moves. A replay within MAX_AGE_SECONDS is harmless: the gate answers an online phone with its session.
"""

from __future__ import annotations

import hmac
import re
import secrets
from pathlib import Path

from device.clock import Clock
from device.errors import StoreError
from device.files import create_once

MAX_AGE_SECONDS = 2 * 3600
_SHAPE = re.compile(r"([0-9]{1,12})\.([0-9a-f]{64})", re.ASCII)


def read_key(path: Path) -> bytes:
    """The 32 random bytes in ``path``, made on first use, the same for all workers. Raises StoreError."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            create_once(path, secrets.token_bytes(32), mode=0o600)
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(file=path.name, reason=type(error).__name__) from error
    if len(key) != 32:
        raise StoreError(file=path.name, reason="length")
    return key


def keyed_hash(key: bytes, purpose: str, *parts: str) -> str:
    """HMAC-SHA-256 in hex; the purpose and the length of each part separate different uses."""
    text = "".join(f"{len(part)}:{part}" for part in (purpose, *parts))
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()


class FormTokens:
    """Issues and checks the hidden ``token`` of every form."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def issue(self, ip: str) -> str:
        """A token for the phone at ``ip``."""
        now = str(int(self._clock.monotonic()))
        return f"{now}.{keyed_hash(self._key, 'form', ip, now)}"

    def is_valid(self, ip: str, token: str) -> bool:
        """Whether ``token`` was issued for ``ip`` within MAX_AGE_SECONDS. Compared in constant time."""
        shape = _SHAPE.fullmatch(token)
        if not shape:
            return False
        age = int(self._clock.monotonic()) - int(shape[1])
        genuine = hmac.compare_digest(shape[2], keyed_hash(self._key, "form", ip, shape[1]))
        return genuine and 0 <= age <= MAX_AGE_SECONDS
