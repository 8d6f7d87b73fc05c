"""Sessions of staff: by cookie, bound to the network it was given to, over when idle, and over for good after a day's
work. Each function works in the caller's transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.orm import Session

from provisioning.cityhall.accounts.limits import network_of
from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.tables import StaffLogIn, StaffSecurity, StaffSession

IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 10 * 3600
_USED_SECONDS = 60
"""A session's last use is written once in this time, not at every page."""


@dataclass(frozen=True)
class LoggedIn:
    """name: of the staff member. form_token: goes into every form of this session."""

    name: str
    form_token: str
    role: Role = Role.VIEW


def open_session(session: Session, staff: str, address: str, now: int) -> str:
    """A new session; its cookie's value."""
    token = secrets.token_urlsafe(32)
    session.add(StaffSession(hash=bound_hash(token, address), staff=staff, began_at=now, used_at=now))
    return token


def session_of(session: Session, token: str, address: str, now: int, *, used: bool) -> LoggedIn | None:
    """Whose session it is, or None when it is unknown here or its time is over. used: a person asks, not a page that
    reads itself anew.
    """
    found = session.get(StaffSession, bound_hash(token, address)) if token else None
    if found is None:
        return None
    if now - found.used_at > IDLE_SECONDS or now - found.began_at > LONGEST_SECONDS:
        session.delete(found)
        return None
    if used and now - found.used_at > _USED_SECONDS:
        found.used_at = now
    return LoggedIn(found.staff, form_token_of(token), role_of(session, found.staff))


def role_of(session: Session, staff: str) -> Role:
    """The role of an account; one without a row, made by an older release, may look."""
    found = session.get(StaffSecurity, staff)
    return Role(found.role) if found is not None else Role.VIEW


def end_session(session: Session, token: str, address: str) -> None:
    """One session."""
    session.execute(delete(StaffSession).where(StaffSession.hash == bound_hash(token, address)))


def end_all_sessions(session: Session, staff: str) -> None:
    """Every session of an account, and every log-in that is under way."""
    session.execute(delete(StaffSession).where(StaffSession.staff == staff))
    session.execute(delete(StaffLogIn).where(StaffLogIn.staff == staff))


def tidy(session: Session, now: int) -> None:
    """Forget sessions whose time is over."""
    session.execute(delete(StaffSession).where(StaffSession.used_at < now - IDLE_SECONDS))
    session.execute(delete(StaffSession).where(StaffSession.began_at < now - LONGEST_SECONDS))


def bound_hash(token: str, address: str) -> str:
    """What is kept of a cookie: shown from another network, it is of no session."""
    return hashlib.sha256(f"{token}\n{network_of(address)}".encode("utf-8", "replace")).hexdigest()


def form_token_of(token: str) -> str:
    """The token of every form of a session."""
    return hmac.new(token.encode("utf-8", "replace"), b"form", hashlib.sha256).hexdigest()


def right_form(form_token: str, sent: str) -> bool:
    """Whether a form came from a page of this very session."""
    return hmac.compare_digest(form_token.encode(), sent.encode("utf-8", "replace"))
