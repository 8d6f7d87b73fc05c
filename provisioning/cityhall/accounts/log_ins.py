"""Logging in, in two steps: name and password, then a second factor; or its registration, where there is none yet.

Between the steps there is a cookie of its own, good for ten minutes and a few tries and for nothing else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete
from sqlalchemy.orm import Session

from device.clock import Clock
from provisioning.cityhall.accounts import factors, security_key, sessions, throttle
from provisioning.cityhall.accounts.authenticator_app import new_secret, step_of
from provisioning.cityhall.accounts.factor_key import FactorKey
from provisioning.cityhall.accounts.factors import MAX_FACTORS, FactorKind
from provisioning.cityhall.accounts.security_key import RelyingParty
from provisioning.cityhall.accounts.staff_accounts import StaffAccounts
from provisioning.cityhall.accounts.staff_audit import record_action
from provisioning.cityhall.database import Database
from provisioning.cityhall.tables import StaffLogIn, StaffSecurity

STEP_SECONDS = 10 * 60


class Step(StrEnum):
    """What a log-in waits for."""

    FACTOR = "factor"
    ENROL = "enrol"


class Refusal(StrEnum):
    """Why a log-in does not go on. due: the time to register a second factor is over."""

    WRONG = "login_wrong"
    TOO_MANY = "login_too_many"
    DUE = "login_factor_due"
    OVER = "login_over"
    FACTOR_WRONG = "factor_wrong"


@dataclass(frozen=True)
class Begun:
    """The password was right; token: cookie of the log-in under way."""

    token: str
    step: Step


@dataclass(frozen=True)
class Complete:
    """token: cookie of the session. recovery: new recovery codes, to be shown once."""

    token: str
    recovery: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnderWay:
    """A log-in between its steps. kinds: of the account's factors."""

    staff: str
    step: Step
    form_token: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class LogInRules:
    """required: nobody gets in without a second factor. days: to register the first. party: None where no security key
    can be registered.
    """

    required: bool
    days: int
    party: RelyingParty | None


class LogIns:
    """The steps."""

    def __init__(
        self, database: Database, clock: Clock, accounts: StaffAccounts, key: FactorKey, rules: LogInRules
    ) -> None:
        self._database = database
        self._clock = clock
        self._accounts = accounts
        self._key = key
        self.rules = rules

    def begin(self, name: str, password: str, address: str) -> Begun | Complete | Refusal:
        """Name and password."""
        with self._database.transaction() as session:
            if not throttle.let_through(session, name, address, self._now()):
                self._note_slowed(session, name)
                return Refusal.TOO_MANY
        if not self._accounts.right_password(name, password):
            return Refusal.WRONG
        self._accounts.tidy()
        with self._database.transaction() as session:
            if factors.kinds_of(session, name):
                return self._open(session, name, address, Step.FACTOR)
            if not self.rules.required:
                return self._complete(session, name, address, "password")
            if self._due_over(session, name):
                return Refusal.DUE
            return self._open(session, name, address, Step.ENROL)

    def under_way(self, token: str, address: str) -> UnderWay | None:
        """The log-in behind a cookie, or None when its time is over."""
        with self._database.transaction() as session:
            found = self._find(session, token, address)
            if found is None:
                return None
            kinds = factors.kinds_of(session, found.staff)
            return UnderWay(found.staff, Step(found.step), sessions.form_token_of(token), kinds)

    def with_code(self, token: str, code: str, address: str) -> Complete | Refusal:
        """A code of an app, or a recovery code."""
        with self._database.transaction() as session:
            found = self._next_try(session, token, address, Step.FACTOR)
            if isinstance(found, Refusal):
                return found
            if factors.right_code(session, self._key, found.staff, code, self._now()):
                return self._complete(session, found.staff, address, FactorKind.APP)
            if factors.spend_recovery_code(session, found.staff, code):
                return self._complete(session, found.staff, address, "recovery")
            return self._wrong(session, found.staff, FactorKind.APP)

    def key_options(self, token: str, address: str) -> str:
        """What the browser is to ask the security key, JSON; "" when there is none. The challenge before ends."""
        with self._database.transaction() as session:
            found, party = self._find(session, token, address), self.rules.party
            if found is None or party is None:
                return ""
            known = factors.credentials_of(session, found.staff)
            if found.step == Step.FACTOR and not known:
                return ""
            found.challenge = security_key.new_challenge()
            if found.step == Step.FACTOR:
                return security_key.authentication_options(party, found.challenge, known)
            return security_key.registration_options(party, found.staff, found.challenge, known)

    def with_key(self, token: str, answer: str, address: str) -> Complete | Refusal:
        """What a security key answered."""
        with self._database.transaction() as session:
            found = self._next_try(session, token, address, Step.FACTOR)
            if isinstance(found, Refusal):
                return found
            party = self.rules.party
            if party is not None and factors.right_answer(session, party, found, answer, self._now()):
                return self._complete(session, found.staff, address, FactorKind.KEY)
            return self._wrong(session, found.staff, FactorKind.KEY)

    def app_secret(self, token: str, address: str) -> str:
        """The secret that the app is to be given; the same one as long as the log-in is under way. "" when over."""
        with self._database.transaction() as session:
            found = self._find(session, token, address)
            if found is None or found.step != Step.ENROL:
                return ""
            secret = self._key.open(found.secret) if found.secret else None
            if secret is None:
                secret = new_secret()
                found.secret = self._key.seal(secret)
            return secret

    def enrol_app(self, token: str, code: str, address: str) -> Complete | Refusal:
        """The first code of a new app."""
        with self._database.transaction() as session:
            found = self._next_try(session, token, address, Step.ENROL)
            if isinstance(found, Refusal):
                return found
            secret = self._key.open(found.secret) if found.secret else None
            step = step_of(secret, code, self._now(), -1) if secret else None
            if step is None:
                return self._wrong(session, found.staff, FactorKind.APP)
            factors.add_app(session, found.staff, found.secret, step, self._now())
            return self._enrolled(session, found.staff, address, FactorKind.APP)

    def enrol_key(self, token: str, answer: str, address: str) -> Complete | Refusal:
        """A new key's answer."""
        with self._database.transaction() as session:
            found = self._next_try(session, token, address, Step.ENROL)
            if isinstance(found, Refusal):
                return found
            challenge, found.challenge = found.challenge, ""
            party = self.rules.party
            made = security_key.registered(party, challenge, answer) if party else None
            if made is None or made.credential in factors.credentials_of(session, found.staff):
                return self._wrong(session, found.staff, FactorKind.KEY)
            factors.add_key(session, found.staff, made, self._now())
            return self._enrolled(session, found.staff, address, FactorKind.KEY)

    def begin_another(self, name: str, password: str, address: str) -> Begun | Refusal:
        """Somebody logged in registers one more factor: the password is asked again."""
        if not self._accounts.confirms(name, password, address):
            return Refusal.WRONG
        with self._database.transaction() as session:
            if len(factors.kinds_of(session, name)) >= MAX_FACTORS:
                return Refusal.OVER
            return self._open(session, name, address, Step.ENROL)

    def remove(self, name: str, password: str, factor: str, address: str) -> bool:
        """Somebody logged in removes one of several factors."""
        if not self._accounts.confirms(name, password, address):
            return False
        with self._database.transaction() as session:
            kind = factors.remove(session, name, factor)
            if kind:
                record_action(session, self._now(), name, "factor_removed", kind=kind)
            return bool(kind)

    def factors_of(self, name: str) -> tuple[list[tuple[str, str, int, int | None]], int]:
        """(id, kind, made at, last used at) of each factor, and how many recovery codes are left."""
        with self._database.transaction() as session:
            found = [(one.id, one.kind, one.made_at, one.used_at) for one in factors.factors_of(session, name)]
            return found, factors.recovery_codes_left(session, name)

    def _find(self, session: Session, token: str, address: str) -> StaffLogIn | None:
        found = session.get(StaffLogIn, sessions.bound_hash(token, address), with_for_update=True) if token else None
        return found if found is not None and self._now() - found.began_at <= STEP_SECONDS else None

    def _next_try(self, session: Session, token: str, address: str, step: Step) -> StaffLogIn | Refusal:
        """The log-in, one try of it counted."""
        found = self._find(session, token, address)
        if found is None or found.step != step:
            return Refusal.OVER
        if not throttle.let_through(session, found.staff, address, self._now()):
            self._note_slowed(session, found.staff)
            return Refusal.TOO_MANY
        return found

    def _open(self, session: Session, name: str, address: str, step: Step) -> Begun:
        token = secrets.token_urlsafe(32)
        session.execute(delete(StaffLogIn).where(StaffLogIn.began_at < self._now() - STEP_SECONDS))
        session.add(
            StaffLogIn(
                hash=sessions.bound_hash(token, address), staff=name, step=step, challenge="", secret="",
                began_at=self._now(),
            )
        )  # fmt: skip
        return Begun(token, step)

    def _enrolled(self, session: Session, name: str, address: str, kind: FactorKind) -> Complete:
        """Whoever was logged in with less is logged out."""
        record_action(session, self._now(), name, "factor_added", kind=kind)
        sessions.end_all_sessions(session, name)
        codes = factors.new_recovery_codes(session, name)
        return Complete(self._complete(session, name, address, kind).token, codes)

    def _complete(self, session: Session, name: str, address: str, how: str) -> Complete:
        session.execute(delete(StaffLogIn).where(StaffLogIn.staff == name))
        throttle.forgive(session, name, address, self._now())
        record_action(session, self._now(), name, "logged_in", how=str(how))
        return Complete(sessions.open_session(session, name, address, self._now()))

    def _wrong(self, session: Session, name: str, kind: FactorKind) -> Refusal:
        record_action(session, self._now(), name, "factor_refused", kind=kind, reason="wrong")
        return Refusal.FACTOR_WRONG

    def _due_over(self, session: Session, name: str) -> bool:
        known = session.get(StaffSecurity, name)
        return known is None or self._now() - known.factor_due_since > self.rules.days * 86400

    def _note_slowed(self, session: Session, name: str) -> None:
        """Once for each wait, and only of accounts that are there."""
        if session.get(StaffSecurity, name) is not None and throttle.first_refused(session, name, self._now()):
            record_action(session, self._now(), name, "log_in_slowed")

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
