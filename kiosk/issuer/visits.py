"""The issuer's side of a visit: a short-lived token after authentication, and what it stands for. In the store, so that
workers share it. Only hashes of tokens are kept, and no name.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple, cast

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from device.card.credential import Credential, PublicKey
from device.clock import Clock
from device.store import Migration, Store, statements
from kiosk.issuer.challenges import hashed

VISIT_MIGRATIONS: tuple[Migration, ...] = (
    statements(
        "CREATE TABLE visit (token TEXT PRIMARY KEY, kiosk TEXT NOT NULL, resident TEXT NOT NULL,"
        " persons BLOB NOT NULL, binding TEXT NOT NULL, issuer_key TEXT NOT NULL, serial TEXT NOT NULL,"
        " public_key BLOB NOT NULL, until REAL)"
    ),
)
LIFE_SECONDS = 600
MAX_OPEN = 100
"""Of one kiosk, which serves one visitor at a time."""


class IssuerVisit(NamedTuple):
    """persons: visit's random id -> resident id, in the household's order. reference names the visit in the audit and
    opens nothing. binding: 128 random bits, hex.
    """

    reference: str
    kiosk: str
    resident: str
    persons: dict[str, str]
    binding: str
    credential: Credential


class Visits:
    """Opens visits and finds them again by token and kiosk."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def open(
        self, kiosk: str, credential: Credential, resident: str, members: Sequence[str]
    ) -> tuple[str, IssuerVisit] | None:
        """A new token and its visit; None when MAX_OPEN visits of this kiosk are open. Expired ones are deleted."""
        token, now = secrets.token_urlsafe(32), self._clock.now().timestamp()
        persons = {secrets.token_urlsafe(12): member for member in members}
        visit = IssuerVisit(reference(token), kiosk, resident, persons, secrets.token_hex(16), credential)
        key = credential.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM visit WHERE until < ?", (now,))
            (open_now,) = connection.execute("SELECT count(*) FROM visit WHERE kiosk = ?", (kiosk,)).fetchone()
            if open_now >= MAX_OPEN:
                return None
            connection.execute(
                "INSERT INTO visit VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    hashed(token),
                    kiosk,
                    resident,
                    msgspec.json.encode(persons),
                    visit.binding,
                    credential.issuer_key,
                    f"{credential.serial:x}",
                    key,
                    now + LIFE_SECONDS,
                ),
            )
        return token, visit

    def find(self, token: str, kiosk: str) -> IssuerVisit | None:
        """The visit; None when unknown, expired, or another kiosk's."""
        sql = "SELECT * FROM visit WHERE token = ? AND kiosk = ? AND until >= ?"
        rows = self._store.rows(sql, (hashed(token), kiosk, self._clock.now().timestamp()))
        if not rows:
            return None
        row = rows[0]
        key = cast("PublicKey", load_der_public_key(row["public_key"]))  # written by open(), from a checked credential
        return IssuerVisit(
            reference(token),
            row["kiosk"],
            row["resident"],
            msgspec.json.decode(row["persons"], type=dict[str, str]),
            row["binding"],
            Credential(row["issuer_key"], int(row["serial"], 16), key),
        )

    def prolong(self, token: str) -> None:
        """Reset the expiry after an accepted order, so that the document can still be fetched."""
        with self._store.transaction() as connection:
            until = self._clock.now().timestamp() + LIFE_SECONDS
            connection.execute("UPDATE visit SET until = ? WHERE token = ?", (until, hashed(token)))

    def forget(self) -> None:
        """After a restore: delete every visit."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM visit")


def reference(token: str) -> str:
    """A visit's name for the audit."""
    return hashed(token)[:16]
