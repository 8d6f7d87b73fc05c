"""Deletes city hall's rows that are past their age, and says how many in the audit. Again deletes nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Delete, delete, func, select
from sqlalchemy.orm import Session

from device.clock import JST, Clock
from provisioning.cityhall.accounts.staff_audit import prune_staff_audit, record_action
from provisioning.cityhall.database import Database
from provisioning.cityhall.tables import (
    AccountRequest,
    AuditAlarm,
    AuditHead,
    Code,
    Enrolment,
    Staff,
    StaffAction,
    StaffSecurity,
)

HEADS_WHOLE_SECONDS = 60 * 86400
"""Heads of audits that are younger all stay; of older ones the last of each day."""


class Deleted(NamedTuple):
    """So many rows of one kind."""

    kind: str
    rows: int


class OldRecords:
    """staff_days: see [cityhall]."""

    def __init__(self, database: Database, clock: Clock, staff_days: int) -> None:
        self._database = database
        self._clock = clock
        self._seconds = staff_days * 86400

    def delete(self) -> list[Deleted]:
        """All of it, in one transaction."""
        now = int(self._clock.now().timestamp())
        with self._database.transaction() as session:
            done = [one for one in _all(session, now, now - self._seconds) if one.rows]
            for one in done:
                record_action(session, now, "", "records_deleted", kind=one.kind, count=one.rows)
            return done


def _all(session: Session, now: int, before: int) -> Iterator[Deleted]:
    closed = select(Staff.name).where(Staff.active.is_(False)).scalar_subquery()
    lately = (
        select(StaffAction.staff)
        .where(StaffAction.at >= before)
        .union(select(StaffAction.box).where(StaffAction.action == "account_closed", StaffAction.at >= before))
    )
    gone = session.scalars(select(Staff.name).where(Staff.name.in_(closed), Staff.name.not_in(lately))).all()
    session.execute(delete(StaffSecurity).where(StaffSecurity.staff.in_(gone)))
    yield Deleted("account", _count(session, delete(Staff).where(Staff.name.in_(gone))))
    yield Deleted("staff_action", _count(session, delete(StaffAction).where(StaffAction.at < before)))
    yield Deleted("account_request", _count(session, delete(AccountRequest).where(AccountRequest.asked_at < before)))
    old = (Enrolment.state != "pending", Enrolment.decided_at < before)
    yield Deleted("enrolment", _count(session, delete(Enrolment).where(*old)))
    yield Deleted("code", _count(session, delete(Code).where(Code.expires_at < before)))
    yield Deleted("audit_alarm", _count(session, delete(AuditAlarm).where(AuditAlarm.closed_at < before)))
    yield Deleted("audit_head", _count(session, _thinned(now - HEADS_WHOLE_SECONDS)))
    yield Deleted("staff_audit", prune_staff_audit(session, now, datetime.fromtimestamp(before, JST)))


def _thinned(before: int) -> Delete:
    """Old heads but the last of each day and audit, and the beginnings that staff accepted. JST days begin at 15:00
    UTC, as 32,400 s more.
    """
    day = (AuditHead.at + 32_400) // 86_400
    last = select(func.max(AuditHead.number)).group_by(AuditHead.box, AuditHead.part, day)
    return delete(AuditHead).where(AuditHead.at < before, AuditHead.accepted.is_(False), AuditHead.number.not_in(last))


def _count(session: Session, statement: Delete) -> int:
    return int(getattr(session.execute(statement), "rowcount", 0))
