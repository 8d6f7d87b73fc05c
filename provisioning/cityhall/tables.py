"""City hall's tables, alike on SQLite and PostgreSQL. Times are unix seconds."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Seconds = BigInteger


class Base(DeclarativeBase):
    """Parent of all tables."""


class Box(Base):
    """One enrolled box and what it told last. state: active, revoked. key: SHA-256 of its public key, hex."""

    __tablename__ = "box"
    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(16), default="active")
    enrolled_at: Mapped[int] = mapped_column(Seconds)
    revoked_at: Mapped[int | None] = mapped_column(Seconds)
    certificate_serial: Mapped[str] = mapped_column(String(48))
    certificate_until: Mapped[int] = mapped_column(Seconds)
    seen_at: Mapped[int | None] = mapped_column(Seconds)
    heartbeat_at: Mapped[int | None] = mapped_column(Seconds)
    skew_seconds: Mapped[int] = mapped_column(Seconds, default=0)
    heartbeats: Mapped[int] = mapped_column(BigInteger, default=0)
    facts: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)


class Code(Base):
    """A one-time enrolment code, by its SHA-256. used_key: the key that came with it."""

    __tablename__ = "code"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    box: Mapped[str] = mapped_column(String(63))
    made_at: Mapped[int] = mapped_column(Seconds)
    expires_at: Mapped[int] = mapped_column(Seconds)
    used_at: Mapped[int | None] = mapped_column(Seconds)
    enrolment: Mapped[str | None] = mapped_column(String(32))


class Enrolment(Base):
    """A request to be enrolled. kind: new, recognised, replacing, renamed, returning. state: pending, approved or
    declined.
    """

    __tablename__ = "enrolment"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    box: Mapped[str] = mapped_column(String(63))
    key: Mapped[str] = mapped_column(String(64))
    request: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="pending", index=True)
    asked_at: Mapped[int] = mapped_column(Seconds)
    decided_at: Mapped[int | None] = mapped_column(Seconds)
    decided_by: Mapped[str] = mapped_column(String(63), default="")
    certificate: Mapped[str] = mapped_column(Text, default="")


class Received(Base):
    """One message of a box; its key makes a duplicate impossible. late_seconds: its age when it was sent."""

    __tablename__ = "received"
    __table_args__ = (Index("received_by_time", "received_at"), Index("received_of_box", "box", "kind", "received_at"))
    box: Mapped[str] = mapped_column(String(63), primary_key=True)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    at: Mapped[int] = mapped_column(Seconds)
    received_at: Mapped[int] = mapped_column(Seconds)
    late_seconds: Mapped[int] = mapped_column(Seconds)
    count: Mapped[int] = mapped_column(Integer)
    facts: Mapped[dict[str, object]] = mapped_column(JSON)


class BoxLine(Base):
    """By what city hall notices that one box's key works in two places (boxes/clones.py). serial_before: of the
    credential before the last one, good until the last one was seen; serial_seen: None: not judged yet. chain,
    chain_before: the value that the next call has to bring, and the one that the last call brought.
    """

    __tablename__ = "box_line"
    box: Mapped[str] = mapped_column(String(63), primary_key=True)
    serial_before: Mapped[str] = mapped_column(String(48), default="")
    serial_seen: Mapped[bool | None] = mapped_column(Boolean)
    chain: Mapped[str] = mapped_column(String(64), default="")
    chain_before: Mapped[str] = mapped_column(String(64), default="")
    forked_at: Mapped[int | None] = mapped_column(Seconds)
    reason: Mapped[str] = mapped_column(String(32), default="")


class Volume(Base):
    """City hall's half of the key of a box's encrypted volume. key: the public key that asks for it, PEM. recovery: the
    recovery key, sealed to the city's back-up key (age, base64). chain, chain_before: as of BoxLine.
    """

    __tablename__ = "volume"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    box: Mapped[str] = mapped_column(String(63), index=True)
    key: Mapped[str] = mapped_column(Text)
    share: Mapped[str] = mapped_column(String(64))
    recovery: Mapped[str] = mapped_column(Text)
    made_at: Mapped[int] = mapped_column(Seconds)
    opened_at: Mapped[int | None] = mapped_column(Seconds)
    openings: Mapped[int] = mapped_column(BigInteger, default=0)
    chain: Mapped[str] = mapped_column(String(64), default="")
    chain_before: Mapped[str] = mapped_column(String(64), default="")


class Staff(Base):
    """An account for the pages. password: scrypt."""

    __tablename__ = "staff"
    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(Boolean, default=True)


class StaffSession(Base):
    """A staff member's log-in, by the SHA-256 of its cookie."""

    __tablename__ = "staff_session"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff: Mapped[str] = mapped_column(String(63))
    began_at: Mapped[int] = mapped_column(Seconds)
    used_at: Mapped[int] = mapped_column(Seconds)


class Refusal(Base):
    """A wrong password or code, counted to slow guessing down. who: SHA-256 of what was tried from where."""

    __tablename__ = "refusal"
    __table_args__ = (Index("refusal_who", "who", "at"),)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    who: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(Seconds)


class StaffAction(Base):
    """What staff did: never changed, never deleted. Table and column keep the name of the first release."""

    __tablename__ = "deed"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[int] = mapped_column(Seconds)
    staff: Mapped[str] = mapped_column(String(63))
    action: Mapped[str] = mapped_column("deed", String(32))
    box: Mapped[str] = mapped_column(String(63), default="")


class StaffSecurity(Base):
    """Beside an account: what it may do, and since when it may register its first second factor. An account that an
    older release made has no row and may look, no more.
    """

    __tablename__ = "staff_security"
    staff: Mapped[str] = mapped_column(String(63), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    factor_due_since: Mapped[int] = mapped_column(Seconds)


class StaffFactor(Base):
    """A second factor. kind: app, key. secret: the app's, sealed, or the key's public key in base 64. credential: the
    key's id. counter: last time step of the app's codes, or the key's signature counter.
    """

    __tablename__ = "staff_factor"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    staff: Mapped[str] = mapped_column(String(63), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(63))
    secret: Mapped[str] = mapped_column(Text)
    credential: Mapped[str] = mapped_column(Text, default="")
    counter: Mapped[int] = mapped_column(BigInteger, default=0)
    made_at: Mapped[int] = mapped_column(Seconds)
    used_at: Mapped[int | None] = mapped_column(Seconds)


class RecoveryCode(Base):
    """A recovery code that was not used yet, by its hash."""

    __tablename__ = "staff_recovery"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff: Mapped[str] = mapped_column(String(63), index=True)


class StaffLogIn(Base):
    """A log-in under way: the password was right. step: factor, enrol. challenge: the security key's. secret: of the
    app that is being registered, sealed.
    """

    __tablename__ = "staff_log_in"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff: Mapped[str] = mapped_column(String(63))
    step: Mapped[str] = mapped_column(String(16))
    challenge: Mapped[str] = mapped_column(String(128))
    secret: Mapped[str] = mapped_column(Text)
    began_at: Mapped[int] = mapped_column(Seconds)


class KnownAddress(Base):
    """Where a member of staff logged in lately, by hash: there, what others try elsewhere does not count."""

    __tablename__ = "staff_known_address"
    staff: Mapped[str] = mapped_column(String(63), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[int] = mapped_column(Seconds)


class AccountRequest(Base):
    """A grave act on an account that a second administrator has to approve. act: role, reset. state: pending, approved,
    declined.
    """

    __tablename__ = "staff_request"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    act: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(63))
    role: Mapped[str] = mapped_column(String(16), default="")
    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16), default="pending")
    asked_by: Mapped[str] = mapped_column(String(63))
    asked_at: Mapped[int] = mapped_column(Seconds)
    decided_by: Mapped[str] = mapped_column(String(63), default="")
    decided_at: Mapped[int | None] = mapped_column(Seconds)


class StaffAudit(Base):
    """City hall's audit: a chain as on the boxes (device.audit), of what staff did."""

    __tablename__ = "staff_audit"
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(40))
    event: Mapped[str] = mapped_column(String(48))
    facts: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The end of one audit of one box as its heartbeat told it; only ever added to. accepted: staff took it as the new
    beginning after an alarm, so that nothing before it is compared any more.
    """

    __tablename__ = "audit_head"
    __table_args__ = (Index("audit_head_of_box", "box", "part", "number"),)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    box: Mapped[str] = mapped_column(String(63))
    part: Mapped[str] = mapped_column(String(16))
    lines: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(Seconds)
    accepted: Mapped[bool] = mapped_column(Boolean, default=False)


class AuditAlarm(Base):
    """An audit of a box that does not go on from what it told before. reason: shortened, replaced, broken."""

    __tablename__ = "audit_alarm"
    __table_args__ = (Index("audit_alarm_of_box", "box", "part"),)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    box: Mapped[str] = mapped_column(String(63))
    part: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(16))
    lines: Mapped[int] = mapped_column(BigInteger)
    kept_lines: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(Seconds)
    closed_at: Mapped[int | None] = mapped_column(Seconds)
    closed_by: Mapped[str] = mapped_column(String(63), default="")
    why: Mapped[str] = mapped_column(String(200), default="")
