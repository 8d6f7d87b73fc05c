"""Enrolment of boxes: code and key in, staff's decision, a short-lived credential out; renewal and revocation.

The key is the box: the same public key after re-flashing is the same box.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from device.clock import Clock
from provisioning.cityhall.accounts.staff_audit import record_action
from provisioning.cityhall.boxes.authority import Authority, Peer, PublicKey, key_hash, key_of_request, name_of_request
from provisioning.cityhall.boxes.clones import (
    FORKED,
    Link,
    Verdict,
    begin_anew,
    close,
    issued,
    line_of,
    serial_forked,
    take,
)
from provisioning.cityhall.boxes.codes import code_hash
from provisioning.cityhall.boxes.volumes import Volumes
from provisioning.cityhall.database import Database
from provisioning.cityhall.tables import Box, Code, Enrolment, StaffAction, Volume


@dataclass(frozen=True)
class Refused:
    """Why not: request_malformed, code_needed, code_unknown, code_used, code_expired, other_name, box_revoked,
    box_unknown, box_forked, key_differs, enrolment_unknown.
    """

    reason: str


class EnrolmentService:
    """Enrols boxes. certificate_days: life of a credential. four_eyes: who made the code does not approve the box."""

    def __init__(
        self, database: Database, authority: Authority, clock: Clock, certificate_days: int, *, four_eyes: bool = True
    ) -> None:
        self._database = database
        self._authority = authority
        self._clock = clock
        self._days = certificate_days
        self._four_eyes = four_eyes
        self.volumes = Volumes(database, self._now)

    def ask(self, code: str, request: str) -> Enrolment | Refused:
        """A box asks to be enrolled. ``code`` may be empty for a key that is known. ``request``: CSR, PEM."""
        key = key_of_request(request)
        if key is None:
            return Refused("request_malformed")
        with self._database.transaction() as session:
            known = session.scalar(select(Box).where(Box.key == key_hash(key)))
            if known is not None and known.state != "active":
                return Refused("box_forked" if known.state == FORKED else "box_revoked")
            if not code:
                return self._returning(session, known, request) if known else Refused("code_needed")
            return self._with_code(session, code, key, known, request)

    def _returning(self, session: Session, known: Box, request: str) -> Enrolment:
        """A known key without a code, as after months switched off: staff decide."""
        waiting = select(Enrolment).where(Enrolment.key == known.key, Enrolment.state == "pending")
        return session.scalar(waiting) or self._open(session, known.name, known.key, request, "returning")

    def _with_code(
        self, session: Session, code: str, key: PublicKey, known: Box | None, request: str
    ) -> Enrolment | Refused:
        found = session.get(Code, code_hash(code), with_for_update=True)
        if found is None:
            return Refused("code_unknown")
        if found.used_at is not None:
            earlier = session.get(Enrolment, found.enrolment)
            # The same box asking again has not heard our answer.
            return earlier if earlier is not None and earlier.key == key_hash(key) else Refused("code_used")
        if found.expires_at <= self._now():
            return Refused("code_expired")
        if name_of_request(request) != found.box:
            return Refused("other_name")  # two sheets were mixed up: the code stays good for its own box
        kind = _kind(known, session.get(Box, found.box), found.box)
        enrolment = self._open(session, found.box, key_hash(key), request, kind)
        spent = update(Code).where(Code.hash == found.hash, Code.used_at.is_(None))
        session.execute(spent.values(used_at=self._now(), enrolment=enrolment.id))
        if kind == "recognised":
            self._approve(session, enrolment, "")
            record_action(session, self._now(), "", "recognised", box=enrolment.box)
        return enrolment

    def state(self, name: str) -> Enrolment | Refused:
        """What became of an enrolment."""
        with self._database.transaction() as session:
            return session.get(Enrolment, name) or Refused("enrolment_unknown")

    def approve(self, name: str, staff: str) -> bool:
        """Staff say yes: the box gets its credential at its next question. False when it was decided before, or when
        another person has to say it.
        """
        with self._database.transaction() as session:
            enrolment = self._pending(session, name)
            if enrolment is not None and self._is_same_person(session, enrolment, staff):
                return False
            if enrolment is not None:
                self._approve(session, enrolment, staff)
                record_action(session, self._now(), staff, "approved", box=enrolment.box)
            return enrolment is not None

    def needs_another(self, name: str, staff: str) -> bool:
        """Whether ``staff`` made the code with which this enrolment was asked, so that another person decides."""
        with self._database.transaction() as session:
            enrolment = self._pending(session, name)
            return enrolment is not None and self._is_same_person(session, enrolment, staff)

    def _is_same_person(self, session: Session, enrolment: Enrolment, staff: str) -> bool:
        """Codes of the server's command line are of nobody in particular: whoever has root there could do all else."""
        made = select(StaffAction.staff).where(
            StaffAction.action == "code_made", StaffAction.box == enrolment.box, StaffAction.at <= enrolment.asked_at
        )
        makers = session.scalars(made.order_by(StaffAction.number.desc()).limit(1)).all()
        return self._four_eyes and enrolment.kind != "returning" and staff in makers

    def decline(self, name: str, staff: str) -> bool:
        """Staff say no. False when it was decided before."""
        with self._database.transaction() as session:
            enrolment = self._pending(session, name)
            if enrolment is not None:
                enrolment.state, enrolment.decided_at, enrolment.decided_by = "declined", self._now(), staff
                record_action(session, self._now(), staff, "declined", box=enrolment.box)
            return enrolment is not None

    def revoke(self, box: str, staff: str) -> bool:
        """From now on nothing of ``box`` is heard. False when there is no such active box."""
        with self._database.transaction() as session:
            found = session.get(Box, box, with_for_update=True)
            if found is None or found.state == "revoked":
                return False
            found.state, found.revoked_at = "revoked", self._now()
            record_action(session, self._now(), staff, "revoked", box=box)
            return True

    def release(self, box: str, staff: str) -> bool:
        """Staff know why one key was in two places, as after a restore, and that one of them is off: the next call of
        ``box`` is believed. False when there is no such box, or it is revoked.
        """
        with self._database.transaction() as session:
            found = session.get(Box, box, with_for_update=True)
            if found is None or found.state == "revoked":
                return False
            found.state = "active"
            begin_anew(line_of(session, box))
            for volume in session.scalars(select(Volume).where(Volume.box == box)):
                volume.chain = volume.chain_before = ""
            record_action(session, self._now(), staff, "released", box=box)
            return True

    def recovery_shown(self, box: str, staff: str) -> None:
        """Staff have looked at the recovery key of a box's volume."""
        with self._database.transaction() as session:
            record_action(session, self._now(), staff, "recovery_shown", box=box)

    def admit(self, peer: Peer | None, link: Link | None = None, *, chained: bool = True) -> Box | Refused:
        """The box behind a verified credential, looked up at every call so that a revocation holds at once. link: what
        the call brought of the chain; a key that is in two places is closed here. chained: False for a call that the
        box makes to another service of city hall, which carries no chain.
        """
        if peer is None:
            return Refused("box_unknown")
        with self._database.transaction() as session:
            box = session.get(Box, peer.box)
            if box is None:
                return Refused("box_unknown")
            if box.state != "active":
                return Refused("box_forked" if box.state == FORKED else "box_revoked")
            if box.key != peer.key:
                return Refused("key_differs")
            return (self._closed(session, box, peer.serial, link) if chained else None) or box

    def _closed(self, session: Session, box: Box, serial: str, link: Link | None) -> Refused | None:
        """Refused, and the key closed, when it is in two places."""
        line = line_of(session, box.name)
        if serial_forked(box, line, serial):
            reason = "serial"
        elif link is None and line.chain:
            reason = "no_link"
        elif link is not None and take(line, link) is Verdict.FORKED:
            reason = "chain" if link.have else "no_chain"
        else:
            return None
        close(session, box, line, reason, self._now())
        return Refused("box_forked")

    def admitted(self) -> dict[str, str]:
        """Every box that ``admit`` admits now: name -> hash of its key."""
        with self._database.transaction() as session:
            return {box.name: box.key for box in session.scalars(select(Box).where(Box.state == "active"))}

    def renew(self, box: str, request: str) -> str | Refused:
        """A fresh credential (PEM) for the same key."""
        key = key_of_request(request)
        if key is None:
            return Refused("request_malformed")
        with self._database.transaction() as session:
            found = session.get(Box, box, with_for_update=True)
            if found is None or found.state != "active" or found.key != key_hash(key):
                return Refused("key_differs")
            issued(line_of(session, box), found.certificate_serial)
            return self._issue(found, key)

    def _pending(self, session: Session, name: str) -> Enrolment | None:
        found = session.get(Enrolment, name, with_for_update=True)
        return found if found is not None and found.state == "pending" else None

    def _open(self, session: Session, box: str, key: str, request: str, kind: str) -> Enrolment:
        enrolment = Enrolment(
            id=secrets.token_hex(16), box=box, key=key, request=request, kind=kind, state="pending",
            asked_at=self._now(), decided_by="", certificate="",
        )  # fmt: skip
        session.add(enrolment)
        session.flush()
        return enrolment

    def _approve(self, session: Session, enrolment: Enrolment, staff: str) -> None:
        key = key_of_request(enrolment.request)
        if key is None:
            raise ValueError("a request that was sound when it was kept")
        for other in session.scalars(select(Box).where(Box.key == enrolment.key, Box.name != enrolment.box)):
            session.delete(other)  # renamed: the key goes on under its new name
        session.flush()
        box = session.get(Box, enrolment.box, with_for_update=True)
        if box is None:
            box = Box(name=enrolment.box, enrolled_at=self._now(), skew_seconds=0, heartbeats=0, facts={})
            session.add(box)
        box.key, box.state, box.revoked_at = enrolment.key, "active", None
        enrolment.certificate = self._issue(box, key)
        begin_anew(line_of(session, box.name))
        enrolment.state, enrolment.decided_at, enrolment.decided_by = "approved", self._now(), staff

    def _issue(self, box: Box, key: PublicKey) -> str:
        certificate = self._authority.issue_box(box.name, key, self._clock.now(), self._days)
        box.certificate_serial = f"{certificate.serial_number:x}"
        box.certificate_until = int(certificate.not_valid_after_utc.timestamp())
        return certificate.public_bytes(Encoding.PEM).decode()

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _kind(known: Box | None, named: Box | None, name: str) -> str:
    """known: the box with this key. named: the box with the name the code is for."""
    if known is not None:
        return "recognised" if known.name == name else "renamed"
    return "replacing" if named is not None else "new"
