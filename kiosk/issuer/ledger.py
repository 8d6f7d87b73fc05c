"""The ledger of accepted orders: one row a request, its issue number, and what became of it. No name, no PDF.

A request id means one thing for ever: the same content again gives the same row, other content gives none.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from datetime import datetime

import msgspec
from msgspec import field

from device.store import Migration, Store, additive, statements
from kiosk.issuer.challenges import hashed
from kiosk.issuer.paper.eras import era_year
from kiosk.issuer.paper.issue_number import issue_number
from kiosk.issuer.protocol import OrderContent, OutcomeKind
from kiosk.issuer.wire import learn_types

REQUEST_MIGRATIONS: tuple[Migration, ...] = (
    statements(
        "CREATE TABLE request (request TEXT PRIMARY KEY, digest TEXT NOT NULL, year TEXT NOT NULL,"
        " running INTEGER NOT NULL, issue_number TEXT NOT NULL UNIQUE, body BLOB NOT NULL, outcome TEXT,"
        " UNIQUE (year, running))"
    ),
)
GAP_MIGRATIONS: tuple[Migration, ...] = (
    additive(
        "CREATE TABLE issue_number_gap (year TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
        " at TEXT NOT NULL, PRIMARY KEY (year, first))"
    ),
)
"""Numbers that were perhaps given and are lost: first to last of an era year, and when they were reserved."""
ACCEPTED_MIGRATIONS: tuple[Migration, ...] = (
    additive(
        "CREATE TABLE accepted (request TEXT PRIMARY KEY, kiosk TEXT NOT NULL, at REAL NOT NULL,"
        " outcome_key TEXT NOT NULL)",
        "CREATE INDEX accepted_by_kiosk ON accepted (kiosk, at)",
    ),
)
"""Whose order, when (unix seconds), and the hash of the key that its outcome is told with; nothing for one of a release
that had no such keys.
"""

FIELD_OF_OPTIONS = "items"
"""The field that the options of a row of 0.1 answer."""


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is kept. visit: hash of the token. residents: whom the paper is about, the city's ids in the
    household's order; answers: to all other fields of the form. at: when it was accepted; the paper carries this date.
    pages: of one copy. options: value -> whether it was chosen; up to 0.1 the only answers there were, and kept beside
    them so that 0.1 reads the row too.
    """

    request: str
    kiosk: str
    visit: str
    requester: str
    residents: list[str]
    kind: str
    copies: int
    binding: str
    fee_yen: int
    pages: int
    at: datetime
    answers: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, bool] = field(default_factory=dict)


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger."""

    order: OrderRecord
    digest: str
    issue_number: str
    outcome: OutcomeKind | None


class Ledger:
    """Accepted orders in the issuer's store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        learn_types(OrderRecord)

    def find(self, request: str) -> LedgerEntry | None:
        """The row of a request, or None."""
        rows = self._store.rows("SELECT * FROM request WHERE request = ?", (request,))
        return _entry(rows[0]) if rows else None

    def accept(self, order: OrderRecord, digest: str, outcome_key: str) -> LedgerEntry:
        """Give the next issue number of the year and keep the order; a request that stands already is left as it is
        (two workers may get it at the same instant). outcome_key: see protocol; kept hashed.
        """
        year = _year(order.at)
        with self._store.transaction() as connection:
            if (earlier := self.find(order.request)) is not None:
                return earlier
            running = _next_running(connection, year)
            number = issue_number(order.at.date(), running)
            row = (order.request, digest, year, running, number, msgspec.json.encode(order))
            connection.execute("INSERT INTO request VALUES (?,?,?,?,?,?,NULL)", row)
            accepted = (order.request, order.kiosk, order.at.timestamp(), hashed(outcome_key))
            connection.execute("INSERT INTO accepted VALUES (?,?,?,?)", accepted)
        return LedgerEntry(order=order, digest=digest, issue_number=number, outcome=None)

    def accepted_since(self, kiosk: str, at: datetime) -> int:
        """How many orders of ``kiosk`` were accepted since ``at``."""
        sql = "SELECT count(*) AS n FROM accepted WHERE kiosk = ? AND at >= ?"
        return int(self._store.rows(sql, (kiosk, at.timestamp()))[0]["n"])

    def opens_outcome(self, request: str, key: str) -> bool:
        """Whether the outcome of ``request`` may be told with ``key``."""
        rows = self._store.rows("SELECT outcome_key FROM accepted WHERE request = ?", (request,))
        return not rows or hmac.compare_digest(str(rows[0]["outcome_key"]), hashed(key))

    def leave_gap(self, at: datetime, numbers: int) -> str:
        """This ledger comes from a back-up: ``numbers`` issue numbers of the era year of ``at`` may have been given
        since, and none may be given twice. Reserves them; the last of them.
        """
        year = _year(at)
        with self._store.transaction() as connection:
            first = _next_running(connection, year)
            row = (year, first, first + numbers - 1, at.isoformat(timespec="seconds"))
            connection.execute("INSERT INTO issue_number_gap VALUES (?,?,?,?)", row)
        return issue_number(at.date(), first + numbers - 1)

    def restored(self) -> int:
        """This ledger comes from a back-up: of what was open then nobody here knows whether it was printed since. It is
        unknown, so its document is not given out again, until the kiosk reports what became of it. How many there are.
        """
        with self._store.transaction() as connection:
            return connection.execute("UPDATE request SET outcome = 'unknown' WHERE outcome IS NULL").rowcount

    def since(self, kiosk: str, at: datetime) -> list[LedgerEntry]:
        """What ``kiosk`` had accepted since ``at``, oldest first: to be compared with a journal from a back-up."""
        rows = [_entry(row) for row in self._store.rows("SELECT * FROM request ORDER BY rowid")]
        return [row for row in rows if row.order.kiosk == kiosk and row.order.at >= at]

    def settle(self, request: str, outcome: OutcomeKind) -> tuple[OutcomeKind, bool]:
        """Keep the outcome unless one was reported before; unknown is replaced by what staff found. The stored outcome,
        and whether it is new.
        """
        with self._store.transaction() as connection:
            sql = (
                "UPDATE request SET outcome = :now WHERE request = :request"
                " AND (outcome IS NULL OR (outcome = 'unknown' AND :now <> 'unknown'))"
            )
            changed = connection.execute(sql, {"now": outcome.value, "request": request}).rowcount
            (stands,) = connection.execute("SELECT outcome FROM request WHERE request = ?", (request,)).fetchone()
        return OutcomeKind(stands), changed == 1


def order_digest(kiosk: str, visit: str, content: OrderContent) -> str:
    """What makes two orders the same order: kiosk, visit and content (the challenge and signature may be new)."""
    content_bytes = msgspec.json.encode([kiosk, hashed(visit), content], order="deterministic")
    return hashlib.sha256(content_bytes).hexdigest()


def _year(at: datetime) -> str:
    """The era year as an issue number begins with it: R8."""
    letter, year = era_year(at.date())[1:]
    return f"{letter}{year}"


def _next_running(connection: sqlite3.Connection, year: str) -> int:
    """The running number after all that were given or reserved in ``year``."""
    sql = (
        "SELECT max((SELECT coalesce(max(running), 0) FROM request WHERE year = :year),"
        " (SELECT coalesce(max(last), 0) FROM issue_number_gap WHERE year = :year)) + 1"
    )
    (running,) = connection.execute(sql, {"year": year}).fetchone()
    return int(running)


def _entry(row: sqlite3.Row) -> LedgerEntry:
    order = msgspec.json.decode(row["body"], type=OrderRecord)
    if order.options and not order.answers:
        chosen = sorted(value for value, on in order.options.items() if on)
        order = msgspec.structs.replace(order, answers={FIELD_OF_OPTIONS: chosen})
    return LedgerEntry(
        order=order,
        digest=row["digest"],
        issue_number=row["issue_number"],
        outcome=OutcomeKind(row["outcome"]) if row["outcome"] else None,
    )
