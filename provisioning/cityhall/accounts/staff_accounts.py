"""Staff accounts: scrypt passwords, roles, and whose session asks. All of it in the database, so that any worker can
answer.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from device.clock import Clock
from provisioning.cityhall.accounts import sessions, throttle
from provisioning.cityhall.accounts.factors import kinds_of, remove_all
from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.accounts.sessions import LoggedIn
from provisioning.cityhall.accounts.staff_audit import record_action
from provisioning.cityhall.database import Database
from provisioning.cityhall.tables import Staff, StaffAction, StaffSecurity

MIN_LETTERS = 12


class Account(NamedTuple):
    """name; open; when last logged in, unix seconds; role; kinds of its second factors."""

    name: str
    open: bool
    logged_in_at: int | None
    role: Role = Role.VIEW
    factors: tuple[str, ...] = ()


class StaffAccounts:
    """Accounts and sessions. Logging in: ``log_ins``; grave acts: ``account_requests``."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._nobody = generate_password_hash(secrets.token_hex(16))  # an unknown name takes as long as a known one

    def set_password(self, name: str, password: str, role: Role | None = None, by: str = "") -> None:
        """Make or change an account; its sessions end. role: None leaves it; the first account of all may administer,
        later ones may view. Without a second factor, the time to register one begins anew.
        """
        with self._database.transaction() as session:
            first = session.scalar(select(StaffSecurity.staff).limit(1)) is None
            session.merge(Staff(name=name, password=generate_password_hash(password), active=True))
            known = session.get(StaffSecurity, name)
            if known is None:
                known = StaffSecurity(staff=name, role=Role.ADMINISTER if first else Role.VIEW)
                session.add(known)
            known.factor_due_since = self._now()
            known.role = role or known.role
            sessions.end_all_sessions(session, name)
            record_action(session, self._now(), name, "password_set")
            if role is not None:
                record_action(session, self._now(), by or name, "role_set", subject=name, role=role)

    def change(self, name: str, now: str, new: str, address: str) -> bool:
        """One's own password. False when ``now`` is wrong, which counts like a wrong log-in."""
        if not self.confirms(name, now, address):
            return False
        with self._database.transaction() as session:
            session.merge(Staff(name=name, password=generate_password_hash(new), active=True))
            sessions.end_all_sessions(session, name)
            record_action(session, self._now(), name, "password_set")
        return True

    def confirms(self, name: str, password: str, address: str) -> bool:
        """Whether somebody logged in knows their password. Ask ``too_many`` first, to tell them; it counts as a try."""
        with self._database.transaction() as session:
            let_through = throttle.let_through(session, name, address, self._now())
        if not let_through or not self.right_password(name, password):
            return False
        with self._database.transaction() as session:
            throttle.forgive(session, name, address, self._now())
        return True

    def right_password(self, name: str, password: str) -> bool:
        """Whether it is the password of an open account. Counts nothing: see ``throttle``."""
        with self._database.transaction() as session:
            found = session.get(Staff, name)
            known = found.password if found is not None and found.active else None
        return check_password_hash(known or self._nobody, password) and known is not None

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        last = (
            select(StaffAction.staff, func.max(StaffAction.at))
            .where(StaffAction.action == "logged_in")
            .group_by(StaffAction.staff)
        )
        with self._database.transaction() as session:
            seen = {row[0]: row[1] for row in session.execute(last)}
            known = session.scalars(select(Staff).order_by(Staff.name)).all()
            return [_account(session, one, seen.get(one.name)) for one in known]

    def close(self, name: str, by: str = "") -> bool:
        """Close an account at once. False when there is none."""
        with self._database.transaction() as session:
            found = session.get(Staff, name)
            if found is not None:
                found.active = False
                sessions.end_all_sessions(session, name)
                record_action(session, self._now(), by or name, "account_closed", subject=name)
            return found is not None

    def end_sessions(self, name: str, by: str) -> None:
        """Log an account out everywhere."""
        with self._database.transaction() as session:
            sessions.end_all_sessions(session, name)
            record_action(session, self._now(), by, "logged_out_everywhere", subject=name)

    def log_out(self, token: str, address: str) -> None:
        """End one session."""
        with self._database.transaction() as session:
            sessions.end_session(session, token, address)

    def who(self, token: str, address: str, *, used: bool = True) -> LoggedIn | None:
        """See ``sessions.session_of``."""
        with self._database.transaction() as session:
            return sessions.session_of(session, token, address, self._now(), used=used)

    def too_many(self, name: str, address: str) -> bool:
        """Whether the next try of this name from this address would not be looked at."""
        with self._database.transaction() as session:
            return throttle.used_up(session, name, address, self._now())

    def too_many_codes(self, address: str) -> bool:
        """Whether an address tried too many enrolment codes."""
        with self._database.transaction() as session:
            return throttle.too_many_codes(session, address, self._now())

    def wrong_code(self, address: str) -> None:
        """Someone at ``address`` tried an enrolment code that does not exist."""
        with self._database.transaction() as session:
            throttle.count_wrong_code(session, address, self._now())

    def tidy(self) -> None:
        """Forget tries and sessions whose time is over."""
        with self._database.transaction() as session:
            throttle.tidy(session, self._now())
            sessions.tidy(session, self._now())

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def set_role(session: Session, now: int, name: str, role: Role, by: str, *, asked_by: str = "") -> bool:
    """Its sessions end: what it may do is asked anew. False when there is no such account."""
    if session.get(Staff, name) is None:
        return False
    known = session.get(StaffSecurity, name) or StaffSecurity(staff=name, role=role, factor_due_since=now)
    known.role = role
    session.add(known)
    sessions.end_all_sessions(session, name)
    record_action(session, now, by, "role_set", subject=name, role=role, asked_by=asked_by)
    return True


def reset_factors(session: Session, now: int, name: str, by: str, *, asked_by: str = "") -> bool:
    """Second factors and recovery codes go; the time to register anew begins. False without the account."""
    if session.get(Staff, name) is None:
        return False
    remove_all(session, name)
    known = session.get(StaffSecurity, name) or StaffSecurity(staff=name, role=Role.VIEW, factor_due_since=now)
    known.factor_due_since = now
    session.add(known)
    sessions.end_all_sessions(session, name)
    record_action(session, now, by, "factor_reset", subject=name, asked_by=asked_by)
    return True


def _account(session: Session, staff: Staff, logged_in_at: int | None) -> Account:
    role = sessions.role_of(session, staff.name)
    return Account(staff.name, staff.active, logged_in_at, role, kinds_of(session, staff.name))
