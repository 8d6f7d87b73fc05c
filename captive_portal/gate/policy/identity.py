"""Identifiers that do not reveal the MAC: the phone's pseudonym of the day, and the signed token of a session."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from device.clock import Clock


@dataclass(slots=True)
class DaySalt:
    """The key of one day's pseudonyms. It is deleted after the day; then no MAC can be
    found from a pseudonym. Stored as JSON under these field names.
    """

    day: str
    key: bytes


class DailyPseudonyms:
    """MAC -> opaque pseudonym, the same all day (JST), a different one the next day."""

    def __init__(self, clock: Clock, salt: DaySalt | None = None) -> None:
        self._clock = clock
        self.salt = salt or DaySalt("", b"")

    def rotate(self) -> bool:
        """Take a new salt when the day has changed; True when it did."""
        today = self._clock.now().date().isoformat()
        if self.salt.day == today:
            return False
        self.salt = DaySalt(today, secrets.token_bytes(32))
        return True

    def of(self, mac: str) -> str:
        """32 hex digits for ``mac``."""
        return hashlib.blake2b(mac.encode(), key=self.salt.key, digest_size=16).hexdigest()


def connection_seed(key: bytes) -> int:
    """32 bits for the marks of connections to the portal, from the gate's key."""
    return int.from_bytes(hmac.digest(key, b"hiroba portal connections 1", "sha256")[:4], "big")


class ResumeTokens:
    """Signed bearer tokens of (session, number of moves); a token is invalid once the session has moved."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, session: str, moves: int) -> str:
        """URL-safe text of about 50 characters."""
        return f"{session}.{moves}.{self._sign(session, moves)}"

    def read(self, token: str) -> tuple[str, int] | None:
        """(session, moves) of a token signed with this key, else None; compared in constant time."""
        parts = token.split(".")
        if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 7):
            return None
        session, moves = parts[0], int(parts[1])
        good = hmac.compare_digest(parts[2].encode(), self._sign(session, moves).encode())
        return (session, moves) if good else None

    def _sign(self, session: str, moves: int) -> str:
        digest = hmac.digest(self._key, f"hiroba session 1\n{session}\n{moves}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:15]).decode()
