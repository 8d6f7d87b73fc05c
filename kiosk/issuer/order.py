"""Checks an order against the offered form and makes it a row of the ledger. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from kiosk.issuer.challenges import hashed
from kiosk.issuer.eligibility import is_request_id
from kiosk.issuer.form import FormField, ManyOf, accepts
from kiosk.issuer.kinds.kind import HouseholdPerson, Kind
from kiosk.issuer.ledger import OrderRecord
from kiosk.issuer.protocol import Order, OrderContent
from kiosk.issuer.register.records import HouseholdNow
from kiosk.issuer.visits import IssuerVisit


def household_of(visit: IssuerVisit, house: HouseholdNow) -> list[HouseholdPerson]:
    """The persons of the visit as forms show them; one who has left the household has no name."""
    members = {person: house.member(resident) for person, resident in visit.persons.items()}
    return [
        HouseholdPerson(person, member.name if member else "", visit.persons[person] == visit.resident)
        for person, member in members.items()
    ]


def well_formed(content: OrderContent, form: Sequence[FormField], max_copies: int) -> bool:
    """Whether the order fits the offered form."""
    return is_request_id(content.request) and 1 <= content.copies <= max_copies and accepts(form, content.answers)


def record_of(
    order: Order, visit: IssuerVisit, kind: Kind, form: Sequence[FormField], *, fee_yen: int, at: datetime
) -> OrderRecord:
    """The row of a valid order; its number of pages is not known yet. fee_yen: of one copy."""
    content = order.content
    others = {name: values for name, values in content.answers.items() if name != kind.persons_field}
    return OrderRecord(
        request=content.request,
        kiosk=visit.kiosk,
        visit=hashed(order.visit),
        requester=visit.resident,
        residents=_residents(content, visit, kind),
        kind=kind.name,
        answers=others,
        options=_options(form, others),
        copies=content.copies,
        binding=visit.binding,
        fee_yen=fee_yen * content.copies,
        pages=0,
        at=at,
    )


def _residents(content: OrderContent, visit: IssuerVisit, kind: Kind) -> list[str]:
    if kind.persons_field is None:
        return [visit.resident]
    chosen = content.answers[kind.persons_field]
    return [resident for person, resident in visit.persons.items() if person in chosen]


def _options(form: Sequence[FormField], answers: Mapping[str, Sequence[str]]) -> dict[str, bool]:
    """See OrderRecord.options."""
    fields = [field for field in form if isinstance(field, ManyOf) and field.name in answers]
    return {choice.value: choice.value in answers[field.name] for field in fields for choice in field.choices}
