"""Names for residents and credentials that tell nobody who they are: keyed hashes, the same for the life of a register.

The audit, lists and commands use them. The key lies in the register itself, so an audit that is read elsewhere leads
back to nobody, and whoever has the register can look a resident's lines up.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from device.store import Store


class OpaqueKeys:
    """Of the register in ``store``; its key is made when it is first wanted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._secret: bytes | None = None

    def resident(self, resident: str) -> str:
        """ "r-" and 16 hex digits."""
        return f"r-{self._hash('resident', resident)[:16]}"

    def credential(self, issuer_key: str, serial: int) -> str:
        """ "c-" and 16 hex digits."""
        return f"c-{self._hash('credential', issuer_key, f'{serial:x}')[:16]}"

    def _hash(self, *parts: str) -> str:
        return hmac.new(self._key(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def _key(self) -> bytes:
        if self._secret is None:
            self._secret = self._kept() or self._made()
        return self._secret

    def _kept(self) -> bytes | None:
        rows = self._store.rows("SELECT secret FROM opaque_key")
        return bytes(rows[0]["secret"]) if rows else None

    def _made(self) -> bytes:
        with self._store.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO opaque_key VALUES (1, ?)", (secrets.token_bytes(32),))
            return self._kept() or b""
