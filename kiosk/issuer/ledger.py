"""The ledger of accepted orders: one row a request, its issue number, and what became of it. No name, no PDF.

A request id means one thing for ever: the same content again gives the same row, other content gives none.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from datetime import datetime

import msgspec

from device.store import Migration, Store, statements
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
        letter, year = era_year(wanted.at.date())[1:]
        with self._store.transaction() as connection:
            if (earlier := self.find(wanted.request)) is not None:
                return earlier
            sql = "SELECT coalesce(max(running), 0) + 1 FROM request WHERE year = ?"
            (running,) = connection.execute(sql, (f"{letter}{year}",)).fetchone()
            number = issue_number(wanted.at.date(), running)
            connection.execute(
                "INSERT INTO request VALUES (?,?,?,?,?,?,NULL)",
                (wanted.request, digest, f"{letter}{year}", running, number, msgspec.json.encode(wanted)),
            )
        return Accepted(wanted=wanted, digest=digest, issue_number=number, outcome=None)

    def leave_gap(self, at: datetime, numbers: int) -> str:
        """This ledger comes from a back-up: ``numbers`` issue numbers of the year of ``at`` may have been given since,
        and none may be given twice. A row without people stands for them; its issue number.
        """
        letter, year = era_year(at.date())[1:]
        wanted = Wanted(
            request=f"restored-{secrets.token_hex(8)}",
            kiosk="",
            visit="",
            requester="",
            residents=[],
            kind=Kind.RESIDENCE_RECORD,
            options=Options(),
            copies=1,
            binding="",
            fee_yen=0,
            pages=0,
            at=at,
        )
        with self._store.transaction() as connection:
            sql = "SELECT coalesce(max(running), 0) + ? FROM request WHERE year = ?"
            (running,) = connection.execute(sql, (numbers, f"{letter}{year}")).fetchone()
            row = (wanted.request, "", f"{letter}{year}", running, issue_number(at.date(), running))
            body, outcome = msgspec.json.encode(wanted), OutcomeKind.VOIDED.value
            connection.execute("INSERT INTO request VALUES (?,?,?,?,?,?,?)", (*row, body, outcome))
        return row[4]

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


def _accepted(row: sqlite3.Row) -> Accepted:
    return Accepted(
        wanted=msgspec.json.decode(row["body"], type=Wanted),
        digest=row["digest"],
        issue_number=row["issue_number"],
        outcome=OutcomeKind(row["outcome"]) if row["outcome"] else None,
    )
