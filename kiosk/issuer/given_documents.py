"""Which documents were given out, to which kiosk, and what became of them: at most one paper for each order.

A document leaves the issuer before its fee is paid, so every one that is given out and then voided is counted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from device.clock import Clock
from device.store import Migration, Store, additive

GIVEN_MIGRATIONS: tuple[Migration, ...] = (
    additive(
        "CREATE TABLE document_given (request TEXT PRIMARY KEY, kiosk TEXT NOT NULL, sha256 TEXT NOT NULL,"
        " at REAL NOT NULL, times INTEGER NOT NULL)",
        "CREATE INDEX document_given_by_time ON document_given (at)",
    ),
)
"""sha256: of the bytes; at: of the first time, unix seconds."""
REPEAT_SECONDS, MAX_TIMES = 60, 3
"""A kiosk whose answer was lost asks again: so long after the first time, and so often in all."""


COUNTS_SQL = (
    "SELECT g.kiosk, count(*), sum(coalesce(r.outcome, '') = 'voided'), sum(r.outcome IS NULL AND g.at < ?)"
    " FROM document_given g JOIN request r ON r.request = g.request WHERE g.at >= ? GROUP BY g.kiosk ORDER BY g.kiosk"
)
"""(kiosk, documents given, of these voided, of these without an outcome though given before the first parameter), of
those given since the second parameter; both unix seconds.
"""


class GivenDocuments:
    """In the issuer's store, beside the ledger."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def may_give(self, request: str) -> bool:
        """Whether the document may be given out, or again: to be asked before it is made."""
        rows = self._store.rows("SELECT at, times FROM document_given WHERE request = ?", (request,))
        return not rows or self._repeatable(rows[0]["at"], rows[0]["times"])

    def give(self, request: str, kiosk: str, sha256: str, note: Callable[[int], object] = lambda _times: None) -> bool:
        """Note that these bytes are given out; False when they must not be. Only the same bytes are given again, so a
        change of the register in between makes no second paper. note: told how often it is now, in the same commit.
        """
        with self._store.transaction() as connection:
            times = self._count(connection, request, kiosk, sha256)
            if times:
                note(times)
        return times > 0

    def _count(self, connection: sqlite3.Connection, request: str, kiosk: str, sha256: str) -> int:
        row = connection.execute("SELECT * FROM document_given WHERE request = ?", (request,)).fetchone()
        if row is None:
            now = self._clock.now().timestamp()
            connection.execute("INSERT INTO document_given VALUES (?,?,?,?,1)", (request, kiosk, sha256, now))
            return 1
        if row["sha256"] != sha256 or row["kiosk"] != kiosk or not self._repeatable(row["at"], row["times"]):
            return 0
        connection.execute("UPDATE document_given SET times = times + 1 WHERE request = ?", (request,))
        return int(row["times"]) + 1

    def _repeatable(self, at: float, times: int) -> bool:
        return times < MAX_TIMES and 0 <= self._clock.now().timestamp() - at <= REPEAT_SECONDS
