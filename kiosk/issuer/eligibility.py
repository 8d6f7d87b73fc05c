"""Who may ask for a certificate at a kiosk, and for what: the rules, as tables. Pure.

Every rule is looked at every time and the first that fires is the answer, so a case for the counter takes the same path
as any other: a disclosure restriction shows in nothing (docs/sources.md#neutral-refusal). COUNTER is that answer.
The rules of one kind stand in its package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from kiosk.issuer.protocol import RefusalReason
from kiosk.issuer.register.records import HouseholdNow, ResidentRecord

MINIMUM_AGE = 15
"""Years (docs/sources.md#certificate-service)."""

ResidentRule = tuple[Callable[[HouseholdNow, ResidentRecord, date], bool], RefusalReason]

RESIDENT_RULES: tuple[ResidentRule, ...] = (
    # One restricted member closes the kiosk to the whole household: they share the address that is to stay unknown.
    (lambda house, _who, _day: bool(house.restricted), RefusalReason.COUNTER),
    (lambda _house, who, _day: who.moving_out is not None, RefusalReason.COUNTER),
    # The householder is gone and nobody was entered instead: every relationship on the paper would be wrong.
    (lambda house, _who, _day: house.member(house.household.householder) is None, RefusalReason.COUNTER),
    (lambda _house, who, day: age(who.born, day) < MINIMUM_AGE, RefusalReason.UNDER_AGE),
)


class Case(NamedTuple):
    """Who asks for a certificate, and about whom, on a day. persons: all in the household now."""

    house: HouseholdNow
    applicant: ResidentRecord
    persons: Sequence[ResidentRecord]
    day: date


Rule = tuple[Callable[[Case], bool], RefusalReason]
"""When it fires, and the answer: a row of a kind's ``rules.py``."""


def age(born: date, day: date) -> int:
    """Completed years on ``day``; who is born on 29 February completes one on 1 March of a common year."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def may_ask(house: HouseholdNow | None, resident: str, day: date) -> RefusalReason | None:
    """Why this resident may ask for nothing at a kiosk on ``day``; None: may. house None: not in the register."""
    if house is None:
        return RefusalReason.NOT_RESIDENT
    who = house.member(resident)
    if who is None:  # a tombstone
        return RefusalReason.COUNTER
    fired = [reason for rule, reason in RESIDENT_RULES if rule(house, who, day)]
    return fired[0] if fired else None


def may_have(
    house: HouseholdNow, applicant: str, persons: Sequence[str], day: date, rules: Sequence[Rule]
) -> RefusalReason | None:
    """Why these persons (resident ids) cannot stand on a certificate of the kind with ``rules`` now; None: they can.
    One who is gone, or in another household since the visit began, is a case for the counter, whatever the kind.
    """
    who = house.member(applicant)
    members = [member for member in map(house.member, persons) if member is not None]
    if who is None or len(members) < len(persons):
        return RefusalReason.COUNTER
    fired = [reason for rule, reason in rules if rule(Case(house, who, members, day))]
    return fired[0] if fired else None


def is_request_id(text: str) -> bool:
    """8 to 64 ASCII letters, digits and hyphens: nothing else may reach a ledger, an audit line or a URL."""
    return 8 <= len(text) <= 64 and text.isascii() and all(c.isalnum() or c == "-" for c in text)
