"""Acts on accounts, by administrators. What gives more rights, or takes a second factor away, is asked by one and
approved by another (four eyes); what takes rights away is done at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from device.clock import Clock
from provisioning.cityhall.accounts.roles import Role, needs_second_person
from provisioning.cityhall.accounts.sessions import role_of
from provisioning.cityhall.accounts.staff_accounts import StaffAccounts, reset_factors, set_role
from provisioning.cityhall.accounts.staff_audit import record_action
from provisioning.cityhall.database import Database
from provisioning.cityhall.tables import AccountRequest, Staff

MAX_REASON = 200
DAYS = 7
"""A request that nobody decided ends after these."""


class Outcome(StrEnum):
    """What became of an act; the words of the pages."""

    DONE = "account_done"
    WAITS = "account_waits"
    UNKNOWN = "account_unknown"
    NO_REASON = "account_no_reason"
    LAST = "account_last_administrator"
    SAME_PERSON = "account_same_person"


class AccountRequests:
    """The acts. four_eyes: whether grave ones take a second administrator."""

    def __init__(self, database: Database, clock: Clock, accounts: StaffAccounts, *, four_eyes: bool) -> None:
        self._database = database
        self._clock = clock
        self._accounts = accounts
        self._four_eyes = four_eyes

    def role(self, subject: str, role: Role, reason: str, by: str) -> Outcome:
        """Give an account another role."""
        with self._database.transaction() as session:
            if session.get(Staff, subject) is None:
                return Outcome.UNKNOWN
            now = role_of(session, subject)
            if now is Role.ADMINISTER and role is not Role.ADMINISTER and self._is_last(session, subject):
                return Outcome.LAST
            if needs_second_person(now, role):
                return self._ask(session, AccountRequest(act="role", subject=subject, role=role), reason, by)
            set_role(session, self._now(), subject, role, by)
            return Outcome.DONE

    def reset(self, subject: str, reason: str, by: str) -> Outcome:
        """Remove an account's second factors, as when telephone, key and recovery codes are all gone."""
        with self._database.transaction() as session:
            if session.get(Staff, subject) is None:
                return Outcome.UNKNOWN
            return self._ask(session, AccountRequest(act="reset", subject=subject, role=""), reason, by)

    def close(self, subject: str, by: str) -> Outcome:
        """Close an account at once."""
        with self._database.transaction() as session:
            if session.get(Staff, subject) is None:
                return Outcome.UNKNOWN
            if role_of(session, subject) is Role.ADMINISTER and self._is_last(session, subject):
                return Outcome.LAST
        self._accounts.close(subject, by)
        return Outcome.DONE

    def decide(self, number: int, by: str, *, approve: bool) -> Outcome:
        """Another administrator, who is not the account's own member of staff either, says yes or no."""
        with self._database.transaction() as session:
            found = session.get(AccountRequest, number, with_for_update=True)
            if found is None or found.state != "pending" or self._over(found):
                return Outcome.UNKNOWN
            if by in (found.asked_by, found.subject) and (approve or by == found.subject):
                return Outcome.SAME_PERSON
            found.state, found.decided_by, found.decided_at = "approved" if approve else "declined", by, self._now()
            if approve:
                self._do(session, found, by)
            else:
                record_action(session, self._now(), by, "request_declined", subject=found.subject, act=found.act)
            return Outcome.DONE

    def pending(self) -> Sequence[AccountRequest]:
        """Requests that wait for a second administrator."""
        with self._database.transaction() as session:
            found = select(AccountRequest).where(AccountRequest.state == "pending").order_by(AccountRequest.number)
            return [one for one in session.scalars(found) if not self._over(one)]

    def _ask(self, session: Session, asked: AccountRequest, reason: str, by: str) -> Outcome:
        """Kept with its reason; done at once where no second person is asked for."""
        if not reason.strip():
            return Outcome.NO_REASON
        asked.reason, asked.asked_by, asked.asked_at = reason.strip()[:MAX_REASON], by, self._now()
        asked.state, asked.decided_by = "pending", ""
        session.add(asked)
        record_action(session, self._now(), by, "request_made", subject=asked.subject, act=asked.act)
        if self._four_eyes:
            return Outcome.WAITS
        asked.state, asked.decided_by, asked.decided_at = "approved", by, self._now()
        self._do(session, asked, by)
        return Outcome.DONE

    def _do(self, session: Session, request: AccountRequest, by: str) -> None:
        if request.act == "role":
            set_role(session, self._now(), request.subject, Role(request.role), by, asked_by=request.asked_by)
        else:
            reset_factors(session, self._now(), request.subject, by, asked_by=request.asked_by)

    def _is_last(self, session: Session, subject: str) -> bool:
        others = session.scalars(select(Staff.name).where(Staff.active, Staff.name != subject)).all()
        return all(role_of(session, name) is not Role.ADMINISTER for name in others)

    def _over(self, request: AccountRequest) -> bool:
        return self._now() - request.asked_at > DAYS * 86400

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
