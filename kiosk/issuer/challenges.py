"""Single-use nonces that a card signs. In the store, so that every worker of the issuer knows them."""

from __future__ import annotations

import hashlib
import secrets

from device.clock import Clock
from device.store import Migration, Store, statements
from kiosk.issuer.protocol import Challenge

CHALLENGE_MIGRATIONS: tuple[Migration, ...] = (
    statements("CREATE TABLE challenge (id TEXT PRIMARY KEY, nonce BLOB NOT NULL, kiosk TEXT NOT NULL, until REAL)"),
)
NONCE_BYTES = 32
LIFE_SECONDS = 120
MAX_OPEN = 64
"""Of one kiosk: a visit uses two, one after the other."""


class Challenges:
    """Issues nonces and accepts each of them once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def give(self, kiosk: str) -> Challenge | None:
        """A fresh nonce for this kiosk; None when MAX_OPEN of its nonces are open. Expired ones are deleted."""
        name, nonce, now = secrets.token_urlsafe(16), secrets.token_bytes(NONCE_BYTES), self._clock.now().timestamp()
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM challenge WHERE until < ?", (now,))
            (given,) = connection.execute("SELECT count(*) FROM challenge WHERE kiosk = ?", (kiosk,)).fetchone()
            if given >= MAX_OPEN:
                return None
            row = (hashed(name), nonce, kiosk, now + LIFE_SECONDS)
            connection.execute("INSERT INTO challenge VALUES (?,?,?,?)", row)
        return Challenge(challenge=name, nonce=nonce, seconds=LIFE_SECONDS)

    def take(self, name: str, kiosk: str) -> bytes | None:
        """The nonce, once; None when unknown, used, expired, or another kiosk's (which uses it up too)."""
        with self._store.transaction() as connection:
            sql = "DELETE FROM challenge WHERE id = ? RETURNING nonce, kiosk, until"
            rows = connection.execute(sql, (hashed(name),)).fetchall()
        if not rows or rows[0]["kiosk"] != kiosk or rows[0]["until"] < self._clock.now().timestamp():
            return None
        return bytes(rows[0]["nonce"])

    def forget(self) -> None:
        """After a restore: a nonce used since the back-up must not be valid again."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM challenge")


def hashed(token: str) -> str:
    """The stored form of a bearer token, useless to a reader of the database."""
    return hashlib.sha256(token.encode()).hexdigest()
