"""Changes that need two people: one asks, another approves, within three days.

Lifting a disclosure restriction, moving a credential to another resident, letting a revoked credential be used again.
What is to happen is kept whole when it is asked for; the second person says yes to that and to nothing else.
"""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from device.store import Store

LIFE = timedelta(hours=72)
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that people take for one another: a request is read out from one desk to the next."""


class Action(Enum):
    """What is asked for."""

    LIFT_RESTRICTION = "lift_restriction"
    MOVE_CREDENTIAL = "move_credential"
    LIFT_REVOCATION = "lift_revocation"


class Outcome(Enum):
    """How a request ended."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class ChangeRequest(NamedTuple):
    """resident: whose the change is; of a move the one it goes to. issuer_key, serial, not_after: of the credential, ""
    and 0 where none is concerned. holder: whose the credential was when it was asked for, "" for nobody's.
    outcome None: it waits.
    """

    request: str
    action: Action
    resident: str
    issuer_key: str
    serial: int
    not_after: str
    holder: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    reason: str
    outcome: Outcome | None = None

    @property
    def has_credential(self) -> bool:
        """Whether a credential is concerned."""
        return bool(self.issuer_key)


class Subject(NamedTuple):
    """What a request is about; see ChangeRequest."""

    resident: str
    issuer_key: str = ""
    serial: int = 0
    not_after: str = ""
    holder: str = ""


class ChangeRequests:
    """The requests in the register's store; callers hold the transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ask(self, action: Action, subject: Subject, asked_by: str, reason: str, at: datetime) -> ChangeRequest:
        """A new request. The same one that waits already is given instead."""
        waiting = [
            r for r in self.waiting() if r.action is action and _subject(r) == subject and r.asked_by == asked_by
        ]
        if waiting:
            return waiting[0]
        made = ChangeRequest(
            "".join(secrets.choice(_LETTERS) for _ in range(8)), action, *subject, asked_by, at, at + LIFE, reason
        )
        row = (
            made.request, action.value, subject.resident, subject.issuer_key, f"{subject.serial:x}", subject.not_after,
            subject.holder, asked_by, made.asked_at.isoformat(), made.expires_at.isoformat(), reason,
        )  # fmt: skip
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO change_request (request, action, resident, issuer_key, serial, not_after, holder,"
                " asked_by, asked_at, expires_at, reason) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                row,
            )
        return made

    def find(self, request: str) -> ChangeRequest | None:
        """A request by its letters, or None."""
        rows = self._store.rows("SELECT * FROM change_request WHERE request = ?", (request.strip().upper(),))
        return _request(rows[0]) if rows else None

    def waiting(self) -> list[ChangeRequest]:
        """Those that nobody decided, oldest first, run out or not."""
        rows = self._store.rows("SELECT * FROM change_request WHERE outcome IS NULL ORDER BY asked_at, request")
        return [_request(row) for row in rows]

    def end(self, request: str, outcome: Outcome, decided_by: str, at: datetime) -> None:
        """It is decided, once."""
        sql = (
            "UPDATE change_request SET outcome = ?, decided_by = ?, decided_at = ?"
            " WHERE request = ? AND outcome IS NULL"
        )
        with self._store.transaction() as connection:
            connection.execute(sql, (outcome.value, decided_by, at.isoformat(), request))


def _subject(request: ChangeRequest) -> Subject:
    return Subject(request.resident, request.issuer_key, request.serial, request.not_after, request.holder)


def _request(row: sqlite3.Row) -> ChangeRequest:
    return ChangeRequest(
        row["request"], Action(row["action"]), row["resident"], row["issuer_key"], int(row["serial"], 16),
        row["not_after"], row["holder"], row["asked_by"], datetime.fromisoformat(row["asked_at"]),
        datetime.fromisoformat(row["expires_at"]), row["reason"], Outcome(row["outcome"]) if row["outcome"] else None,
    )  # fmt: skip
