"""The ledger of requests on this box: every move is committed and fsynced before the act it announces.

A move, its audit line and what the issuer must be told about it are one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from device.audit import AuditSink
from device.clock import Clock
from device.errors import HirobaError
from device.printer.status import PrintJob
from device.store import Store
from kiosk.issuer.protocol import OrderContent, OutcomeKind, Quote
from kiosk.services.certificates.issuance.states import Event, IllegalMove, State, after

OUTCOMES = {
    State.DELIVERED: OutcomeKind.DELIVERED,
    State.REFUSED: OutcomeKind.VOIDED,
    State.VOIDED: OutcomeKind.VOIDED,
    State.UNKNOWN: OutcomeKind.UNKNOWN,
}
"""What the issuer is told when a request comes to rest."""


RESTORED = "restored"
"""Reason of a move to unknown that a restore made."""
SETTLED = {OutcomeKind.DELIVERED: Event.DELIVER, OutcomeKind.VOIDED: Event.VOID}
"""What the issuer's answer settles."""


class UnknownRequest(HirobaError):
    """The journal holds no request of this id. facts: request."""

    code = "request.not_in_journal"


class Payment(NamedTuple):
    """A fee as the terminal confirmed it: method ("counter", "virtual"), yen, and the terminal's own reference."""

    method: str
    yen: int
    reference: str


@dataclass(frozen=True)
class RequestRow:
    """One request as the journal holds it. pages: sides of all copies; attempt: print attempts begun; job: set before
    the document was sent, so None while printing means that nothing was sent. Times are ISO 8601, JST.
    """

    request: str
    visit: str
    kind: str
    copies: int
    state: State
    reason: str
    issue_number: str
    fee_yen: int
    pages: int
    sha256: str
    attempt: int
    job: PrintJob | None
    payment: Payment | None
    refunded_at: str | None
    asked_at: str
    moved_at: str

    @property
    def job_name(self) -> str:
        """The name of the present attempt's job at the printer: the request, and from the second attempt its number."""
        return self.request if self.attempt <= 1 else f"{self.request}-{self.attempt}"

    @property
    def refund_due(self) -> bool:
        """Paid, and neither delivered nor refunded."""
        paid = self.payment is not None and self.payment.yen > 0
        return paid and self.state is not State.DELIVERED and self.refunded_at is None


class Move(NamedTuple):
    """One move: the state entered, why, and when (ISO 8601, JST)."""

    state: State
    reason: str
    at: str


class Untold(NamedTuple):
    """An outcome that the issuer has not confirmed yet. key: what it is told with, "" where there is none."""

    request: str
    outcome: OutcomeKind
    key: str = ""


class Journal:
    """The journal in ``store`` (opened with schema.KIOSK_MIGRATIONS). Safe across threads and processes."""

    def __init__(self, store: Store, audit: AuditSink, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock

    def ask(self, visit: str, content: OrderContent) -> None:
        """A request begins. Raises sqlite3.IntegrityError when the id was used before."""
        at = self._now()
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO request (request, visit, kind, copies, state, asked_at, moved_at) VALUES (?,?,?,?,?,?,?)",
                (content.request, visit, content.kind, content.copies, State.ASKED.value, at, at),
            )
            self._note(connection, visit, content.request, Move(State.ASKED, "", at))

    def move(self, request: str, event: Event, reason: str = "") -> State:
        """Apply ``event``; the new state. Raises IllegalMove, UnknownRequest."""
        with self._store.transaction() as connection:
            return self._move(connection, request, event, reason)

    def authorised(self, request: str, outcome_key: str) -> None:
        """The order is about to be sent. outcome_key: kept until the issuer has heard what became of it. Raises
        IllegalMove.
        """
        with self._store.transaction() as connection:
            self._move(connection, request, Event.AUTHORISE)
            connection.execute("INSERT INTO outcome_key VALUES (?,?)", (request, outcome_key))

    def quoted(self, request: str, quote: Quote) -> None:
        """The issuer accepted; pages becomes the sides of all copies."""
        with self._store.transaction() as connection:
            self._move(connection, request, Event.QUOTE)
            connection.execute(
                "UPDATE request SET issue_number=?, fee_yen=?, pages=?*copies WHERE request=?",
                (quote.issue_number, quote.fee_yen, quote.pages, request),
            )

    def prepared(self, request: str, sha256: str) -> None:
        """The document passed the last gate."""
        with self._store.transaction() as connection:
            self._move(connection, request, Event.PREPARE)
            connection.execute("UPDATE request SET sha256=? WHERE request=?", (sha256, request))

    def paid(self, request: str, payment: Payment) -> None:
        """The terminal confirmed the fee. Told twice it is written once; a second payment is an IllegalMove."""
        with self._store.transaction() as connection:
            row = self.row(request)
            if row.payment == payment:
                return
            if row.payment is not None:
                raise IllegalMove(state=row.state.value, event=Event.PAY.value)
            self._move(connection, request, Event.PAY)
            connection.execute(
                "UPDATE request SET method=?, paid_yen=?, reference=? WHERE request=?", (*payment, request)
            )
            self._audit.record("fee_taken", visit=row.visit, request=request, method=payment.method, yen=payment.yen)

    def printing(self, request: str) -> RequestRow:
        """A new print attempt begins; its row, without a job."""
        with self._store.transaction() as connection:
            self._move(connection, request, Event.PRINT)
            connection.execute(
                "UPDATE request SET attempt=attempt+1, job_id=NULL, job_uuid=NULL, printer_uuid=NULL,"
                " printer_up_time=NULL WHERE request=?",
                (request,),
            )
            return self.row(request)

    def sending(self, request: str, job: PrintJob) -> None:
        """The document is about to be sent in ``job``. Raises IllegalMove unless the request is printing."""
        with self._store.transaction() as connection:
            row = self.row(request)
            if row.state is not State.PRINTING or row.job is not None:
                raise IllegalMove(state=row.state.value, event="send")
            connection.execute(
                "UPDATE request SET job_id=?, job_uuid=?, printer_uuid=?, printer_up_time=? WHERE request=?",
                (job.job_id, job.job_uuid, job.printer_uuid, job.printer_up_time, request),
            )

    def refunded(self, request: str) -> None:
        """Staff gave the money back."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE request SET refunded_at=? WHERE request=?", (self._now(), request))

    def restored(self) -> list[RequestRow]:
        """This journal comes from a back-up: what was unfinished then is unknown now; those rows, as they were."""
        with self._store.transaction() as connection:
            rows = self.unfinished()
            for row in rows:
                self._move(connection, row.request, Event.RESTORE, RESTORED)
            return rows

    def settled(self, request: str, outcome: OutcomeKind) -> None:
        """The issuer says what it was told first. Only a request that a restore made unknown learns from it: the box
        itself told that outcome after its last back-up.
        """
        with self._store.transaction() as connection:
            row = self.row(request)
            if row.state is State.UNKNOWN and row.reason == RESTORED and outcome in SETTLED:
                self._move(connection, request, SETTLED[outcome], "issuer")

    def row(self, request: str) -> RequestRow:
        """One request. Raises UnknownRequest."""
        rows = self._rows("WHERE request=?", (request,))
        if not rows:
            raise UnknownRequest(request=request)
        return rows[0]

    def unfinished(self) -> list[RequestRow]:
        """Requests that have not come to rest, oldest first."""
        return [row for row in self._rows() if not row.state.final]

    def refund_list(self) -> list[RequestRow]:
        """Paid, and neither delivered nor refunded; oldest first."""
        return [row for row in self._rows("WHERE paid_yen>0 AND refunded_at IS NULL") if row.refund_due]

    def unknown(self) -> list[RequestRow]:
        """Requests whose end only paper can tell; oldest first."""
        return self._rows("WHERE state=?", (State.UNKNOWN.value,))

    def all_rows(self, limit: int = 1000) -> list[RequestRow]:
        """The latest ``limit`` requests, oldest first."""
        return self._rows("WHERE rowid > (SELECT COALESCE(MAX(rowid), 0) FROM request) - ?", (limit,))

    def moves(self, request: str) -> list[Move]:
        """Every move of a request with its time, oldest first."""
        rows = self._store.rows("SELECT state, reason, at FROM move WHERE request=? ORDER BY sequence", (request,))
        return [Move(State(row["state"]), row["reason"], row["at"]) for row in rows]

    def untold(self) -> list[Untold]:
        """Outcomes that the issuer has not confirmed yet."""
        rows = self._store.rows(
            "SELECT o.request, o.outcome, coalesce(k.key, '') AS key FROM outcome o"
            " LEFT JOIN outcome_key k ON k.request = o.request WHERE o.told_at IS NULL ORDER BY o.rowid"
        )
        return [Untold(row["request"], OutcomeKind(row["outcome"]), row["key"]) for row in rows]

    def told(self, told: Untold) -> None:
        """The issuer confirmed this outcome; one that changed in the meantime stays untold. Its key is wiped, but for
        an unknown one, which staff will settle.
        """
        with self._store.transaction() as connection:
            changed = connection.execute(
                "UPDATE outcome SET told_at=? WHERE request=? AND outcome=?",
                (self._now(), told.request, told.outcome.value),
            ).rowcount
            if changed and told.outcome is not OutcomeKind.UNKNOWN:
                connection.execute("DELETE FROM outcome_key WHERE request=?", (told.request,))

    def _move(self, connection: sqlite3.Connection, request: str, event: Event, reason: str = "") -> State:
        row, at = self.row(request), self._now()
        state = after(row.state, event)
        connection.execute(
            "UPDATE request SET state=?, reason=?, moved_at=? WHERE request=?", (state.value, reason, at, request)
        )
        self._note(connection, row.visit, request, Move(state, reason, at))
        heard = row.state is not State.ASKED or event is Event.RESTORE  # of one only asked for, the issuer never heard
        if state in OUTCOMES and heard:
            connection.execute(
                "INSERT INTO outcome VALUES (?,?,NULL) ON CONFLICT (request) DO UPDATE SET outcome=excluded.outcome,"
                " told_at=CASE outcome.outcome WHEN excluded.outcome THEN outcome.told_at ELSE NULL END",
                (request, OUTCOMES[state].value),
            )
        return state

    def _note(self, connection: sqlite3.Connection, visit: str, request: str, move: Move) -> None:
        state, reason, at = move.state.value, move.reason, move.at
        connection.execute(
            "INSERT INTO move (request, state, reason, at) VALUES (?,?,?,?)", (request, state, reason, at)
        )
        self._audit.record("request_moved", visit=visit, request=request, state=state, reason=reason)

    def _rows(self, where: str = "", parameters: Sequence[object] = ()) -> list[RequestRow]:
        # ``where`` is one of the constants above, never a value
        sql = f"SELECT * FROM request {where} ORDER BY rowid"  # noqa: S608
        return [_row(found) for found in self._store.rows(sql, parameters)]

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds")


def _row(found: sqlite3.Row) -> RequestRow:
    job = PrintJob(*(found[name] for name in ("job_id", "job_uuid", "printer_uuid", "printer_up_time")))
    payment = Payment(found["method"], found["paid_yen"], found["reference"])
    plain = ("request", "visit", "kind", "copies", "reason", "issue_number", "fee_yen", "pages", "sha256", "attempt")
    return RequestRow(
        **{name: found[name] for name in (*plain, "refunded_at", "asked_at", "moved_at")},
        state=State(found["state"]),
        job=job if found["job_uuid"] is not None else None,
        payment=payment if payment.method else None,
    )
