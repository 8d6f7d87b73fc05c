"""What staff see and decide: refunds due and requests whose end only paper can tell (``hiroba journal``, staff
screen).
"""

from __future__ import annotations

from enum import Enum

from device.audit import AuditSink
from device.errors import HirobaError
from device.store import Store
from kiosk.services.certificates.issuance.journal import Journal, RequestRow
from kiosk.services.certificates.issuance.states import Event, State


class Decision(Enum):
    """DELIVERED: the resident has the paper. REFUND: no paper came or it was destroyed; the money was returned."""

    DELIVERED = "delivered"
    REFUND = "refund"


class NothingToResolve(HirobaError):
    """The request is not an open matter, or the decision does not fit. facts: request, state, decision."""

    code = "request.nothing_to_resolve"


class OpenMatters:
    """Those of this box. ``store`` is the journal's, so that a decision and its audit line are one commit."""

    def __init__(self, store: Store, journal: Journal, audit: AuditSink) -> None:
        self._store = store
        self._journal = journal
        self._audit = audit

    def waiting(self) -> list[RequestRow]:
        """Requests at rest that wait for staff: unknown, or with a refund due. Oldest first."""
        found = {row.request: row for row in (*self._journal.unknown(), *self._journal.refund_list())}
        return sorted((row for row in found.values() if row.state.final), key=lambda row: row.asked_at)

    def resolve(self, request: str, decision: Decision) -> RequestRow:
        """Write what staff decided; the row as it stands now. Raises NothingToResolve, UnknownRequest."""
        with self._store.transaction():
            row = self._journal.row(request)
            if row not in self.waiting() or (decision is Decision.DELIVERED and row.state is not State.UNKNOWN):
                raise NothingToResolve(request=request, state=row.state.value, decision=decision.value)
            if row.state is State.UNKNOWN:
                event = Event.DELIVER if decision is Decision.DELIVERED else Event.VOID
                self._journal.move(request, event, "staff")
            if decision is Decision.REFUND:
                self._journal.refunded(request)
            self._audit.record("request_resolved", request=request, decision=decision.value)
            return self._journal.row(request)
