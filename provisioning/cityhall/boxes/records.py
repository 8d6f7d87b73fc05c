"""Queries of the pages and of the command line."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from provisioning.cityhall.accounts.staff_audit import record_action
from provisioning.cityhall.boxes.codes import make_code
from provisioning.cityhall.database import Database
from provisioning.cityhall.tables import Box, Code, Enrolment, Received, StaffAction


class Records:
    """Reads for pages and the command line; and the making of codes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def boxes(self) -> Sequence[Box]:
        """All boxes by name."""
        with self._database.transaction() as session:
            return session.scalars(select(Box).order_by(Box.name)).all()

    def box(self, name: str) -> Box | None:
        """One box."""
        with self._database.transaction() as session:
            return session.get(Box, name)

    def pending(self) -> Sequence[Enrolment]:
        """Enrolments that wait for staff, oldest first."""
        with self._database.transaction() as session:
            waiting = select(Enrolment).where(Enrolment.state == "pending").order_by(Enrolment.asked_at)
            return session.scalars(waiting).all()

    def decided(self, most: int = 20) -> Sequence[Enrolment]:
        """The last enrolments that staff, or a known key, decided."""
        with self._database.transaction() as session:
            done = select(Enrolment).where(Enrolment.state != "pending").order_by(Enrolment.decided_at.desc())
            return session.scalars(done.limit(most)).all()

    def open_codes(self, now: int) -> Sequence[Code]:
        """Codes that were made and not yet used."""
        with self._database.transaction() as session:
            unused = select(Code).where(Code.used_at.is_(None), Code.expires_at > now).order_by(Code.made_at)
            return session.scalars(unused).all()

    def messages(self, box: str, most: int = 30) -> Sequence[Received]:
        """The last messages of a box, newest first."""
        with self._database.transaction() as session:
            found = (
                select(Received).where(Received.box == box).order_by(Received.received_at.desc(), Received.id.desc())
            )
            return session.scalars(found.limit(most)).all()

    def staff_actions(self, box: str = "", most: int = 100) -> Sequence[StaffAction]:
        """What staff did, newest first."""
        with self._database.transaction() as session:
            found = select(StaffAction).order_by(StaffAction.number.desc()).limit(most)
            return session.scalars(found.where(StaffAction.box == box) if box else found).all()

    def counted(self) -> int:
        """How many messages of all boxes are stored."""
        with self._database.transaction() as session:
            return session.scalar(select(func.count()).select_from(Received)) or 0

    def new_code(self, box: str, staff: str, now: int, days: int) -> str:
        """A one-time code for ``box``; kept as a hash only."""
        with self._database.transaction() as session:
            record_action(session, now, staff, "code_made", box=box)
            return make_code(session, box, now, days)
