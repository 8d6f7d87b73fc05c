"""Second factors and recovery codes of an account, in the database. Each function works in the caller's transaction."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from provisioning.cityhall.accounts import recovery_codes
from provisioning.cityhall.accounts.authenticator_app import step_of
from provisioning.cityhall.accounts.factor_key import FactorKey
from provisioning.cityhall.accounts.security_key import (
    RegisteredKey,
    RelyingParty,
    counter_of_right_answer,
    credential_of,
)
from provisioning.cityhall.tables import RecoveryCode, StaffFactor, StaffLogIn

MAX_FACTORS = 8


class FactorKind(StrEnum):
    """How a second factor proves itself."""

    APP = "app"
    KEY = "key"


def factors_of(session: Session, staff: str) -> Sequence[StaffFactor]:
    """All of an account, oldest first. Locked: a code counts once also when it is sent twice at the same moment."""
    found = select(StaffFactor).where(StaffFactor.staff == staff).order_by(StaffFactor.made_at, StaffFactor.id)
    return session.scalars(found.with_for_update()).all()


def kinds_of(session: Session, staff: str) -> tuple[str, ...]:
    """The kinds of an account's factors."""
    return tuple(session.scalars(select(StaffFactor.kind).where(StaffFactor.staff == staff)))


def add_app(session: Session, staff: str, sealed: str, step: int, now: int) -> None:
    """step: of the code that proved it, which is used with that."""
    _add(session, staff, FactorKind.APP, now, secret=sealed, counter=step)


def add_key(session: Session, staff: str, key: RegisteredKey, now: int) -> None:
    """A key that ``security_key.registered`` gave."""
    _add(session, staff, FactorKind.KEY, now, secret=key.public_key, credential=key.credential, counter=key.counter)


def _add(
    session: Session, staff: str, kind: FactorKind, now: int, *, secret: str, counter: int, credential: str = ""
) -> None:
    factor = StaffFactor(id=secrets.token_hex(16), staff=staff, kind=kind, label="", made_at=now, used_at=now)
    factor.secret, factor.credential, factor.counter = secret, credential, counter
    session.add(factor)


def right_code(session: Session, key: FactorKey, staff: str, code: str, now: int) -> bool:
    """Whether ``code`` is of one of the account's apps and was not used before; then it is used."""
    for factor in factors_of(session, staff):
        secret = key.open(factor.secret) if factor.kind == FactorKind.APP else None
        step = step_of(secret, code, now, factor.counter) if secret else None
        if step is not None:
            factor.counter, factor.used_at = step, now
            return True
    return False


def right_answer(session: Session, party: RelyingParty, log_in: StaffLogIn, answer: str, now: int) -> bool:
    """Whether a key of this account signed the log-in's challenge, which ends with that; then its counter goes on."""
    staff, challenge, credential = log_in.staff, log_in.challenge, credential_of(answer)
    log_in.challenge = ""
    factor = next((one for one in factors_of(session, staff) if credential and one.credential == credential), None)
    if factor is None:
        return False
    known = RegisteredKey(factor.credential, factor.secret, factor.counter)
    counter = counter_of_right_answer(party, challenge, answer, known)
    if counter is None:
        return False
    factor.counter, factor.used_at = counter, now
    return True


def credentials_of(session: Session, staff: str) -> list[str]:
    """Ids of the account's keys."""
    return [one.credential for one in factors_of(session, staff) if one.kind == FactorKind.KEY]


def new_recovery_codes(session: Session, staff: str) -> tuple[str, ...]:
    """Ten; the ones before end."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff == staff))
    made = recovery_codes.make_codes()
    session.add_all(RecoveryCode(hash=recovery_codes.hash_for(staff, code), staff=staff) for code in made)
    return made


def spend_recovery_code(session: Session, staff: str, typed: str) -> bool:
    """Whether it was one of the account's; it is gone then, however many ask at the same moment."""
    found = delete(RecoveryCode).where(
        RecoveryCode.hash == recovery_codes.hash_for(staff, typed), RecoveryCode.staff == staff
    )
    return session.scalar(found.returning(RecoveryCode.hash)) is not None


def recovery_codes_left(session: Session, staff: str) -> int:
    """How many were not used."""
    return len(session.scalars(select(RecoveryCode.hash).where(RecoveryCode.staff == staff)).all())


def remove(session: Session, staff: str, factor: str) -> str:
    """Remove one of the account's own; its kind, or "" when it is none of theirs or the last one."""
    known = factors_of(session, staff)
    found = next((one for one in known if one.id == factor), None)
    if found is None or len(known) == 1:
        return ""
    session.delete(found)
    return found.kind


def remove_all(session: Session, staff: str) -> None:
    """Every factor and recovery code."""
    session.execute(delete(StaffFactor).where(StaffFactor.staff == staff))
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff == staff))
