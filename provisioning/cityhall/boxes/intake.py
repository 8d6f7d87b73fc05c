"""Stores the boxes' messages: each counts once, however often it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from device.clock import Clock
from device.outbox import MAX_IN_BATCH, Fact, check_facts, known_kinds
from provisioning.cityhall.boxes.audit_heads import heads_of, take_heads
from provisioning.cityhall.database import Database
from provisioning.cityhall.tables import Box, Received

LATE_SECONDS = 30 * 86400
"""A message older than this when it is sent is refused: past it the service may have forgotten its id."""
KEPT_SECONDS = 2 * LATE_SECONDS
_TIDY_SECONDS = 3600
FRESH_SECONDS = 300
"""A heartbeat that waited for the line tells of an audit's past, which is not compared."""
_PLAUSIBLE = 1_735_689_600
"""2025-01-01: a box that says it is earlier has no clock yet; its messages' ages are not believed."""


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message on the wire, see device.outbox.Message."""

    id: UUID
    kind: Annotated[str, msgspec.Meta(max_length=32)]
    at: Annotated[int, msgspec.Meta(ge=0, le=2**40)]
    count: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    facts: dict[str, Fact]


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a box sends at once. sent_at: unix seconds by its own clock."""

    sent_at: Annotated[int, msgspec.Meta(ge=0, le=2**40)]
    messages: Annotated[list[Envelope], msgspec.Meta(max_length=MAX_IN_BATCH)]


class Intake:
    """Stores batches."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._kinds = known_kinds()
        self._tidied_at = 0

    def take(self, box: str, batch: Batch) -> dict[str, str]:
        """id -> stored, duplicate, too_old or not_enumerated. All four are final: the box may forget the message."""
        now = int(self._clock.now().timestamp())
        answers = {str(m.id): self._objection(m, batch.sent_at) for m in batch.messages}
        sound = {str(m.id): m for m in batch.messages if not answers[str(m.id)]}
        with self._database.transaction() as session:
            stored = _insert(session, box, list(sound.values()), batch.sent_at, now) if sound else set()
            new = [m for name, m in sound.items() if name in stored]
            _note(session, box, new, now, now - batch.sent_at)
            for beat in new:
                if beat.kind == "heartbeat" and batch.sent_at - beat.at <= FRESH_SECONDS:
                    take_heads(session, box, beat.facts, now)
        self._tidy_now_and_then(now)
        return {name: why or ("stored" if name in stored else "duplicate") for name, why in answers.items()}

    def audit_heads(self, box: str) -> dict[str, tuple[int, str]]:
        """For the answer: the heads that this box's audits have to go on from."""
        with self._database.transaction() as session:
            return heads_of(session, box)

    def _tidy_now_and_then(self, now: int) -> None:
        """Each worker once an hour: the table does not grow beyond its sixty days, and no timer is needed for it."""
        if abs(now - self._tidied_at) >= _TIDY_SECONDS:
            self._tidied_at = now
            self.tidy()

    def tidy(self) -> int:
        """Forget messages past KEPT_SECONDS; how many."""
        old = int(self._clock.now().timestamp()) - KEPT_SECONDS
        with self._database.transaction() as session:
            gone = session.execute(delete(Received).where(Received.received_at < old).returning(Received.id))
            return len(gone.fetchall())

    def _objection(self, message: Envelope, sent_at: int) -> str:
        if message.at >= _PLAUSIBLE and sent_at - message.at > LATE_SECONDS:
            return "too_old"
        try:
            check_facts(self._kinds[message.kind], message.facts)
        except (KeyError, ValueError):
            return "not_enumerated"
        return ""


def _insert(session: Session, box: str, messages: Sequence[Envelope], sent_at: int, now: int) -> set[str]:
    """Ids that were not here before. The primary key decides, so two workers cannot both count one."""
    rows = [
        {
            "box": box, "id": str(m.id), "kind": m.kind, "at": m.at, "received_at": now,
            "late_seconds": max(sent_at - m.at, 0), "count": m.count, "facts": m.facts,
        }
        for m in messages
    ]  # fmt: skip
    if session.get_bind().dialect.name == "postgresql":
        statement = postgresql.insert(Received).on_conflict_do_nothing().returning(Received.id)
        return set(session.scalars(statement, rows))
    return set(session.scalars(sqlite.insert(Received).on_conflict_do_nothing().returning(Received.id), rows))


def _note(session: Session, box: str, new: Sequence[Envelope], now: int, skew: int) -> None:
    """What the list of boxes shows. A box sends its oldest first, so the last heartbeat of a batch is its newest."""
    beats = [m for m in new if m.kind == "heartbeat"]
    session.execute(update(Box).where(Box.name == box).values(seen_at=now, skew_seconds=skew))
    if beats:
        newest = {"heartbeat_at": now, "facts": beats[-1].facts}
        counted = Box.heartbeats + sum(m.count for m in beats)
        session.execute(update(Box).where(Box.name == box).values(heartbeats=counted, **newest))
