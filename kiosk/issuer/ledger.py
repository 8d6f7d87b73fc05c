"""The ledger of accepted orders: one row a request, its issue number, and what became of it. No name, no PDF.

A request id means one thing for ever: the same content again gives the same row, other content gives none.
"""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import datetime

import msgspec

from device.store import Migration, Store, additive, statements
from kiosk.issuer.challenges import hashed
from kiosk.issuer.paper.eras import era_year
from kiosk.issuer.paper.issue_number import issue_number
from kiosk.issuer.protocol import Kind, Options, OrderContent, OutcomeKind, learn_types

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


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is kept. visit: hash of the token. residents: the city's ids, in the household's order.
    at: when it was accepted; the paper carries this date. pages: of one copy.
    """

    request: str
    kiosk: str
    visit: str
    requester: str
    residents: list[str]
    kind: Kind
    options: Options
    copies: int
    binding: str
    fee_yen: int
    pages: int
    at: datetime


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger."""

    wanted: Wanted
    digest: str
    issue_number: str
    outcome: OutcomeKind | None


class Ledger:
    """Accepted orders in the issuer's store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        learn_types(Wanted)

    def find(self, request: str) -> Accepted | None:
        """The row of a request, or None."""
        rows = self._store.rows("SELECT * FROM request WHERE request = ?", (request,))
        return _accepted(rows[0]) if rows else None

    def accept(self, wanted: Wanted, digest: str) -> Accepted:
        """Give the next issue number of the year and keep the order; a request that stands already is left as it is
        (two workers may get it at the same instant).
        """
        year = _year(wanted.at)
        with self._store.transaction() as connection:
            if (earlier := self.find(wanted.request)) is not None:
                return earlier
            running = _next_running(connection, year)
            number = issue_number(wanted.at.date(), running)
            row = (wanted.request, digest, year, running, number, msgspec.json.encode(wanted))
            connection.execute("INSERT INTO request VALUES (?,?,?,?,?,?,NULL)", row)
        return Accepted(wanted=wanted, digest=digest, issue_number=number, outcome=None)

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
        unknown, so its document is not given out again, until the kiosk tells what became of it. How many there are.
        """
        with self._store.transaction() as connection:
            return connection.execute("UPDATE request SET outcome = 'unknown' WHERE outcome IS NULL").rowcount

    def since(self, kiosk: str, at: datetime) -> list[Accepted]:
        """What ``kiosk`` had accepted since ``at``, oldest first: to be compared with a journal from a back-up."""
        rows = [_accepted(row) for row in self._store.rows("SELECT * FROM request ORDER BY rowid")]
        return [row for row in rows if row.wanted.kiosk == kiosk and row.wanted.at >= at]

    def settle(self, request: str, outcome: OutcomeKind) -> tuple[OutcomeKind, bool]:
        """Keep the outcome unless one was told before; unknown gives way to what staff found by looking. The outcome as
        it stands, and whether it is new.
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
    return hashlib.sha256(msgspec.json.encode([kiosk, hashed(visit), content])).hexdigest()


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


def _accepted(row: sqlite3.Row) -> Accepted:
    return Accepted(
        wanted=msgspec.json.decode(row["body"], type=Wanted),
        digest=row["digest"],
        issue_number=row["issue_number"],
        outcome=OutcomeKind(row["outcome"]) if row["outcome"] else None,
    )
