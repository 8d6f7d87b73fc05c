"""What staff did: a row for the pages, and a line of city hall's audit, chained as on the boxes. Written in the
transaction of the act itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, text
from sqlalchemy.orm import Session

from device.audit import enumerated, facts_text
from device.audit_chain import PRUNED, START, ChainEnd, ChainRow, last_old, link, start_of, walk
from device.clock import JST
from provisioning.cityhall.tables import StaffAction, StaffAudit

EVENTS = {
    "logged_in": "staff_logged_in",
    "log_in_slowed": "staff_log_in_slowed",
    "logged_out_everywhere": "staff_logged_out",
    "password_set": "staff_password_set",
    "factor_added": "staff_factor_added",
    "factor_removed": "staff_factor_removed",
    "factor_refused": "staff_factor_refused",
    "factor_reset": "staff_factor_reset",
    "role_set": "staff_role_set",
    "account_closed": "staff_account_closed",
    "request_made": "staff_request_made",
    "request_declined": "staff_request_declined",
    "code_made": "box_code_made",
    "approved": "box_approved",
    "declined": "box_declined",
    "recognised": "box_recognised",
    "revoked": "box_revoked",
    "forked": "box_forked",
    "released": "box_released",
    "recovery_shown": "box_recovery_shown",
    "audit_alarm": "box_audit_alarm",
    "audit_accepted": "box_audit_accepted",
    "records_deleted": "records_deleted",
}
"""Action on the pages -> event of device/audit_events.toml."""
_AUDIT_LOCK = 0x48415544  # any constant: one line at a time on one PostgreSQL
_ENUMERATED = enumerated()


def record_action(session: Session, now: int, staff: str, action: str, *, box: str = "", **facts: object) -> None:
    """Write it. box, and facts by name as the event may carry them. Raises KeyError for what is not enumerated."""
    event = EVENTS[action]
    allowed = _ENUMERATED[event]
    known = {"by": staff, "box": box} if box else {"by": staff}
    text_ = facts_text(_ENUMERATED, event, {**{k: v for k, v in known.items() if k in allowed}, **facts})
    subject = box or str(facts.get("subject", ""))
    session.add(StaffAction(at=now, staff=staff, action=action, box=subject))
    _append(session, now, event, text_)


def verify_staff_audit(session: Session) -> ChainEnd:
    """The end of the chain, every line checked. Raises AuditBroken."""
    first = session.scalar(select(func.min(StaffAudit.sequence))) or 1
    return walk(_rows(session), start_of(first, _rows(session, StaffAudit.event == PRUNED)))


def prune_staff_audit(session: Session, now: int, before: datetime) -> int:
    """Delete the lines older than ``before`` from the front; how many. A new line tells of it."""
    rows = session.execute(select(StaffAudit.sequence, StaffAudit.at).order_by(StaffAudit.sequence)).all()
    times = [(row[0], row[1]) for row in rows]
    until = last_old(times, before.isoformat(timespec="milliseconds"))
    if not until:
        return 0
    head = session.scalar(select(StaffAudit.hash).where(StaffAudit.sequence == until))
    count = sum(sequence <= until for sequence, _ in times)
    _append(session, now, PRUNED, facts_text(_ENUMERATED, PRUNED, {"until": until, "head": head, "count": count}))
    session.execute(delete(StaffAudit).where(StaffAudit.sequence <= until))
    return count


def _append(session: Session, now: int, event: str, facts: str) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _AUDIT_LOCK})
    session.flush()
    last = session.scalar(select(StaffAudit).order_by(StaffAudit.sequence.desc()).limit(1))
    end = ChainEnd(last.sequence, last.hash) if last else START
    at = datetime.fromtimestamp(now, JST).isoformat(timespec="milliseconds")
    digest = link(end.head, end.lines + 1, at, event, facts)
    session.add(StaffAudit(sequence=end.lines + 1, at=at, event=event, facts=facts, hash=digest))
    session.flush()


def _rows(session: Session, *only: ColumnElement[bool]) -> Iterator[ChainRow]:
    found = select(StaffAudit).where(*only).order_by(StaffAudit.sequence)
    for row in session.scalars(found).yield_per(1000):
        yield ChainRow(row.sequence, row.at, row.event, row.facts, row.hash)
