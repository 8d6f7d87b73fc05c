"""The heads of the boxes' audits: kept as they come, only ever added to, and compared. What does not go on from what
was told before is an alarm, until staff close it with a reason (as after a restore).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from device.audit_chain import ChainEnd
from device.clock import Clock
from provisioning.cityhall.accounts.staff_audit import record_action
from provisioning.cityhall.database import Database
from provisioning.cityhall.tables import AuditAlarm, AuditHead, Box

PARTS = ("kiosk", "gate", "portal", "issuer", "register")
MAX_WHY = 200


class Change(StrEnum):
    """How an audit does not go on."""

    SHORTENED = "shortened"
    REPLACED = "replaced"


def judge(kept: ChainEnd | None, told: ChainEnd, kept_past: str | None, told_past: str | None) -> Change | None:
    """kept: the last head. told: the one that came. kept_past, told_past: the hash of one earlier line, as it was kept
    and as the box has it now; None where there is none. Pure.
    """
    if kept is None:
        return None
    if told.lines < kept.lines:
        return Change.SHORTENED
    if told.lines == kept.lines and told.head != kept.head:
        return Change.REPLACED
    if kept_past is not None and told_past is not None and kept_past != told_past:
        return Change.REPLACED
    return None


def take_heads(session: Session, box: str, facts: Mapping[str, object], now: int) -> None:
    """Compare and keep what a heartbeat tells of the audits of ``box``; the name is that of its credential."""
    for part in PARTS:
        told = _end(facts, f"audit_{part}", f"audit_{part}_lines")
        if told is not None:
            past = _end(facts, f"audit_{part}_past", f"audit_{part}_past_lines")
            kept_past = _kept_at(session, box, part, past.lines) if past else None
            change = judge(kept := _last(session, box, part), told, kept_past, past.head if past else None)
            if change is None and told != kept:
                _keep(session, box, part, told, now)
            elif change is not None:
                lines = (told.lines, kept.lines if kept else 0)
                _raise_alarm(session, AuditAlarm(box=box, part=part, reason=change, at=now), *lines)


def heads_of(session: Session, box: str) -> dict[str, tuple[int, str]]:
    """Part -> (lines, head) for the answer: what the box compares itself with."""
    return {part: (end.lines, end.head) for part in PARTS if (end := _last(session, box, part)) is not None}


class AuditAlarms:
    """Alarms for the pages and the command line."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def open(self, box: str = "") -> Sequence[AuditAlarm]:
        """Alarms that staff have not closed, oldest first; of one box or of all."""
        with self._database.transaction() as session:
            found = select(AuditAlarm).where(AuditAlarm.closed_at.is_(None)).order_by(AuditAlarm.number)
            return session.scalars(found.where(AuditAlarm.box == box) if box else found).all()

    def accept(self, box: str, staff: str, why: str) -> int:
        """Close the alarms of ``box``: its audits are compared from their present ends on. How many; 0 without why."""
        if not why.strip():
            return 0
        now = int(self._clock.now().timestamp())
        with self._database.transaction() as session:
            found = session.get(Box, box)
            waiting = select(AuditAlarm).where(AuditAlarm.box == box, AuditAlarm.closed_at.is_(None)).with_for_update()
            alarms = session.scalars(waiting).all()
            for alarm in alarms:
                alarm.closed_at, alarm.closed_by, alarm.why = now, staff, why.strip()[:MAX_WHY]
                told = _end(found.facts if found else {}, f"audit_{alarm.part}", f"audit_{alarm.part}_lines")
                _keep(session, box, alarm.part, told or ChainEnd(alarm.lines, ""), now, accepted=True)
                record_action(session, now, staff, "audit_accepted", box=box, part=alarm.part)
            return len(alarms)


def _raise_alarm(session: Session, alarm: AuditAlarm, lines: int, kept_lines: int) -> None:
    """Once, until staff close it."""
    mine = (AuditAlarm.box == alarm.box, AuditAlarm.part == alarm.part, AuditAlarm.closed_at.is_(None))
    if session.scalar(select(AuditAlarm.number).where(*mine).limit(1)) is None:
        alarm.lines, alarm.kept_lines, alarm.closed_by, alarm.why = lines, kept_lines, "", ""
        session.add(alarm)
        record_action(session, alarm.at, "", "audit_alarm", box=alarm.box, part=alarm.part, reason=alarm.reason)


def _last(session: Session, box: str, part: str) -> ChainEnd | None:
    found = select(AuditHead).where(AuditHead.box == box, AuditHead.part == part)
    row = session.scalar(found.order_by(AuditHead.number.desc()).limit(1))
    return ChainEnd(row.lines, row.head) if row is not None else None


def _kept_at(session: Session, box: str, part: str, lines: int) -> str | None:
    """The head that was kept at ``lines``, since staff last accepted a new beginning."""
    mine = (AuditHead.box == box, AuditHead.part == part)
    began = session.scalar(
        select(AuditHead.number).where(*mine, AuditHead.accepted).order_by(AuditHead.number.desc()).limit(1)
    )
    found = select(AuditHead.head).where(*mine, AuditHead.lines == lines, AuditHead.number >= (began or 0))
    return session.scalar(found.order_by(AuditHead.number.desc()).limit(1))


def _keep(session: Session, box: str, part: str, end: ChainEnd, now: int, *, accepted: bool = False) -> None:
    session.add(AuditHead(box=box, part=part, lines=end.lines, head=end.head, at=now, accepted=accepted))
    session.flush()


def _end(facts: Mapping[str, object], head: str, lines: str) -> ChainEnd | None:
    said, count = facts.get(head), facts.get(lines)
    if isinstance(said, str) and isinstance(count, int) and not isinstance(count, bool) and 0 < count < 2**62:
        return ChainEnd(count, said[:64])
    return None
