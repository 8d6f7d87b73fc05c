"""Staff accounts: scrypt passwords, sessions by cookie, rate limits for wrong guesses. All of it in the
database, so that any worker can answer.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from device.clock import Clock
from provisioning.cityhall.database import Database
from provisioning.cityhall.tables import Refusal, Staff, StaffAction, StaffSession

IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 10 * 3600
_WINDOW_SECONDS = 15 * 60
MAX_WRONG_BY_NAME = 8
MAX_WRONG_BY_ADDRESS = 40
MIN_LETTERS = 12


@dataclass(frozen=True)
class LoggedIn:
    """name: of the staff member. form_token: goes into every form of this session."""

    name: str
    form_token: str


class StaffAccounts:
    """Accounts, log-in, log-out, sessions."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._nobody = generate_password_hash(secrets.token_hex(16))  # an unknown name takes as long as a known one

    def set_password(self, name: str, password: str) -> None:
        """Make or change an account; its sessions end."""
        with self._database.transaction() as session:
            session.merge(Staff(name=name, password=generate_password_hash(password), active=True))
            session.execute(delete(StaffSession).where(StaffSession.staff == name))
            session.add(StaffAction(at=self._now(), staff=name, action="password_set"))

    def change(self, name: str, now: str, new: str, address: str) -> bool:
        """One's own password. False when ``now`` is wrong, which counts like a wrong log-in."""
        if not self._right(name, now):
            self._refused(name, address)
            return False
        self.set_password(name, new)
        return True

    def accounts(self) -> list[tuple[str, bool, int | None]]:
        """(name, open, when last logged in as unix seconds), by name."""
        last = (
            select(StaffAction.staff, func.max(StaffAction.at))
            .where(StaffAction.action == "logged_in")
            .group_by(StaffAction.staff)
        )
        with self._database.transaction() as session:
            seen = {row[0]: row[1] for row in session.execute(last)}
            return [
                (one.name, one.active, seen.get(one.name))
                for one in session.scalars(select(Staff).order_by(Staff.name))
            ]

    def close(self, name: str) -> bool:
        """Close an account at once. False when there is none."""
        with self._database.transaction() as session:
            found = session.get(Staff, name)
            if found is not None:
                found.active = False
                session.execute(delete(StaffSession).where(StaffSession.staff == name))
                session.add(StaffAction(at=self._now(), staff=name, action="account_closed"))
            return found is not None

    def log_in(self, name: str, password: str, address: str) -> str | None:
        """The cookie's value, or None for a wrong name or password. Ask ``too_many`` first."""
        if not self._right(name, password):
            self._refused(name, address)
            return None
        self.tidy()
        with self._database.transaction() as session:
            token = secrets.token_urlsafe(32)
            session.add(StaffSession(hash=_hash(token), staff=name, began_at=self._now(), used_at=self._now()))
            session.add(StaffAction(at=self._now(), staff=name, action="logged_in"))
            return token

    def _right(self, name: str, password: str) -> bool:
        with self._database.transaction() as session:
            found = session.get(Staff, name)
            known = found.password if found is not None and found.active else None
        return check_password_hash(known or self._nobody, password) and known is not None

    def _refused(self, name: str, address: str) -> None:
        """Counts; that a real account is shut for a while is written down once, when it happens."""
        with self._database.transaction() as session:
            _count(session, self._now(), f"name:{name}", f"address:{address}")
            session.flush()
            account = session.get(Staff, name)
            if account is not None and _wrong(session, self._now(), f"name:{name}") == MAX_WRONG_BY_NAME:
                session.add(StaffAction(at=self._now(), staff=name, action="log_in_shut"))

    def log_out(self, token: str) -> None:
        """End one session."""
        with self._database.transaction() as session:
            session.execute(delete(StaffSession).where(StaffSession.hash == _hash(token)))

    def who(self, token: str, *, used: bool = True) -> LoggedIn | None:
        """The staff member behind a cookie, or None when it is unknown or its time is over. used: a person asks, not a
        page that reads itself anew.
        """
        now = self._now()
        with self._database.transaction() as session:
            found = session.get(StaffSession, _hash(token)) if token else None
            if found is None:
                return None
            if now - found.used_at > IDLE_SECONDS or now - found.began_at > LONGEST_SECONDS:
                session.delete(found)
                return None
            if used and now - found.used_at > 60:  # not a write at every page
                found.used_at = now
            return LoggedIn(found.staff, _form_token(token))

    def too_many(self, name: str, address: str) -> bool:
        """Whether this name or address guessed wrong too often within 15 minutes."""
        limits = {f"name:{name}": MAX_WRONG_BY_NAME, f"address:{address}": MAX_WRONG_BY_ADDRESS}
        with self._database.transaction() as session:
            return any(_wrong(session, self._now(), who) >= most for who, most in limits.items())

    def wrong_code(self, address: str) -> None:
        """Someone at ``address`` tried an enrolment code that does not exist."""
        with self._database.transaction() as session:
            _count(session, self._now(), f"address:{address}")

    def tidy(self) -> None:
        """Forget refusals and sessions whose time is over."""
        now = self._now()
        with self._database.transaction() as session:
            session.execute(delete(Refusal).where(Refusal.at < now - _WINDOW_SECONDS))
            session.execute(delete(StaffSession).where(StaffSession.used_at < now - IDLE_SECONDS))

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def right_form(logged_in: LoggedIn, sent: str) -> bool:
    """Whether a form came from a page of this very session."""
    return hmac.compare_digest(logged_in.form_token.encode(), sent.encode("utf-8", "replace"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _form_token(token: str) -> str:
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def _count(session: Session, now: int, *who: str) -> None:
    session.add_all(Refusal(who=_hash(one), at=now) for one in who)


def _wrong(session: Session, now: int, who: str) -> int:
    found = (
        select(func.count()).select_from(Refusal).where(Refusal.who == _hash(who), Refusal.at > now - _WINDOW_SECONDS)
    )
    return session.scalar(found) or 0
