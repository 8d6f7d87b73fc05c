"""Who may ask for what: the rules, as tables. Pure.

Every rule is looked at every time and the first that fires is the answer, so a case for the counter takes the same path
as any other: a disclosure restriction shows in nothing (docs/sources.md#neutral-refusal). COUNTER is that answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from kiosk.issuer.protocol import Kind, OrderContent, RefusalReason
from kiosk.issuer.register.records import HouseholdNow, ResidentRecord

MINIMUM_AGE = 15
"""Years (docs/sources.md#certificate-service)."""
RENDERED = frozenset({Kind.RESIDENCE_RECORD})
"""Kinds this issuer can make."""

ResidentRule = tuple[Callable[[HouseholdNow, ResidentRecord, date], bool], RefusalReason]

RESIDENT_RULES: tuple[ResidentRule, ...] = (
    # One restricted member closes the kiosk to the whole household: they share the address that is to stay unknown.
    (lambda house, _who, _day: bool(house.restricted), RefusalReason.COUNTER),
    (lambda _house, who, _day: who.moving_out is not None, RefusalReason.COUNTER),
    # The householder is gone and nobody was entered instead: every relationship on the paper would be wrong.
    (lambda house, _who, _day: house.member(house.household.householder) is None, RefusalReason.COUNTER),
    (lambda _house, who, day: age(who.born, day) < MINIMUM_AGE, RefusalReason.UNDER_AGE),
)

PersonsRule = tuple[Callable[[Sequence[ResidentRecord | None]], bool], RefusalReason]

PERSONS_RULES: tuple[PersonsRule, ...] = (
    # Gone or moved to another household since the visit began.
    (lambda persons: any(p is None for p in persons), RefusalReason.COUNTER),
    # A member who is moving out blocks every copy with that member on it, so the whole household's too.
    (lambda persons: any(p is not None and p.moving_out is not None for p in persons), RefusalReason.COUNTER),
)


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


def may_have(house: HouseholdNow, persons: Sequence[str]) -> RefusalReason | None:
    """Why these members (resident ids) cannot stand on one certificate now; None: they can."""
    members = [house.member(person) for person in persons]
    fired = [reason for rule, reason in PERSONS_RULES if rule(members)]
    return fired[0] if fired else None


def well_formed(
    content: OrderContent, known: Mapping[str, str], fees_yen: Mapping[str, int], max_copies: int
) -> RefusalReason | None:
    """Why this order is none we can have offered; None: it is. known: the visit's person ids."""
    if content.kind not in RENDERED or content.kind.value not in fees_yen:
        return RefusalReason.KIND_UNAVAILABLE
    persons = content.persons
    sound = (
        bool(persons)
        and len(set(persons)) == len(persons)
        and all(p in known for p in persons)
        and 1 <= content.copies <= max_copies
        and is_request_id(content.request)
    )
    return None if sound else RefusalReason.ORDER_INVALID


def is_request_id(text: str) -> bool:
    """8 to 64 ASCII letters, digits and hyphens: nothing else may reach a ledger, an audit line or a URL."""
    return 8 <= len(text) <= 64 and text.isascii() and all(c.isalnum() or c == "-" for c in text)
