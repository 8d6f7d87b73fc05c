"""A document is given out once, an outcome is told with its order's key, and a kiosk asks for no more than it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from kiosk.issuer import challenges, visits
from kiosk.issuer import protocol as p
from kiosk.issuer.errors import IssuerBusy, TooMany
from kiosk.issuer.given_documents import MAX_TIMES, REPEAT_SECONDS
from kiosk.issuer.register.synthetic_people import population
from tests.kiosk.issuer.conftest import ALLOWED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kiosk.issuer.conftest import Hall

INVALID = p.Refusal(refused=p.RefusalReason.ORDER_INVALID)
REFUSED_FOR_NOW = (TooMany, IssuerBusy)


def document(hall: Hall, visit: p.Resident, content: p.OrderContent) -> p.Document | p.Refusal:
    return hall.port.document(content.request, p.DocumentRequest(visit=visit.visit))


def events(hall: Hall, name: str) -> list[object]:
    return [line.facts for line in hall.audit.lines() if line.event == name]


@pytest.fixture
def ordered(hall: Hall) -> tuple[p.Resident, p.OrderContent]:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    return visit, content


def test_a_lost_answer_comes_again_a_few_times_and_is_one_issue(
    hall: Hall, ordered: tuple[p.Resident, p.OrderContent]
) -> None:
    papers = [document(hall, *ordered) for _ in range(MAX_TIMES + 1)]
    assert isinstance(papers[0], p.Document)
    assert papers == [papers[0]] * MAX_TIMES + [INVALID]
    assert len(events(hall, "certificate_issued")) == 1
    assert len(events(hall, "certificate_repeated")) == MAX_TIMES - 1
    assert [facts["reason"] for facts in events(hall, "certificate_refused") if isinstance(facts, dict)] == [
        "given_out"
    ]


def test_after_a_minute_it_does_not_come_again(hall: Hall, ordered: tuple[p.Resident, p.OrderContent]) -> None:
    assert isinstance(document(hall, *ordered), p.Document)
    hall.clock.advance(REPEAT_SECONDS + 1)
    assert document(hall, *ordered) == INVALID


def test_what_would_be_another_paper_by_now_does_not_come_again(
    hall: Hall, ordered: tuple[p.Resident, p.OrderContent]
) -> None:
    assert isinstance(document(hall, *ordered), p.Document)
    people = population()
    moved = [msgspec.structs.replace(house, address=f"{house.address}101号") for house in people.households]
    hall.register.import_population(msgspec.structs.replace(people, households=moved))
    assert document(hall, *ordered) == INVALID


@pytest.mark.parametrize("key", ["", "0" * 64, p.outcome_key("another-visit", "another-request")])
def test_an_outcome_with_another_key_is_refused(
    hall: Hall, ordered: tuple[p.Resident, p.OrderContent], key: str
) -> None:
    told = hall.port.outcome(ordered[1].request, p.Outcome(outcome=p.OutcomeKind.VOIDED, key=key))
    assert told == INVALID
    assert hall.ledger.rows("SELECT outcome FROM request")[0]["outcome"] is None


def test_an_outcome_is_told_long_after_its_visit(hall: Hall, ordered: tuple[p.Resident, p.OrderContent]) -> None:
    hall.clock.advance(7 * 86400)
    assert hall.told(*ordered, p.OutcomeKind.VOIDED) == p.Settled(outcome=p.OutcomeKind.VOIDED)


def test_an_order_of_a_release_without_keys_is_settled_without_one(
    hall: Hall, ordered: tuple[p.Resident, p.OrderContent]
) -> None:
    with hall.ledger.transaction() as connection:
        connection.execute("DELETE FROM accepted")
    told = hall.port.outcome(ordered[1].request, p.Outcome(outcome=p.OutcomeKind.DELIVERED))
    assert told == p.Settled(outcome=p.OutcomeKind.DELIVERED)


def test_requests_of_a_minute_are_bounded_for_each_kiosk_alone(hall: Hall) -> None:
    flood(hall, hall.proof, ALLOWED.requests_per_minute + 1)
    assert hall.other.challenge().seconds > 0
    assert events(hall, "kiosk_limited") == [{"kiosk": hall.kiosk, "limit": "requests"}]
    hall.clock.advance(121)
    assert isinstance(hall.enter(), p.Resident)


def test_refusals_of_an_hour_are_bounded_so_that_the_audit_does_not_grow(hall: Hall) -> None:
    nobody = msgspec.structs.replace(hall.proof(), challenge="nobody-gave-this")
    flood(hall, lambda: hall.port.authenticate(nobody), ALLOWED.refusals_per_hour + 5)
    assert len(events(hall, "authentication_refused")) == ALLOWED.refusals_per_hour
    assert events(hall, "kiosk_limited") == [{"kiosk": hall.kiosk, "limit": "refusals"}]


def test_orders_of_an_hour_are_bounded(hall: Hall) -> None:
    visit = hall.enter()
    flood(hall, lambda: hall.quoted(visit.visit, hall.content(visit)), ALLOWED.orders_per_hour + 1)
    assert len(hall.ledger.rows("SELECT 1 FROM request")) == ALLOWED.orders_per_hour
    assert events(hall, "kiosk_limited") == [{"kiosk": hall.kiosk, "limit": "orders"}]


def test_open_nonces_and_visits_of_one_kiosk_are_bounded(hall: Hall) -> None:
    rows = [(f"{n}", b"", hall.kiosk, 2**40) for n in range(challenges.MAX_OPEN)]
    proof = hall.proof()
    with hall.ledger.transaction() as connection:
        connection.executemany("INSERT INTO challenge VALUES (?,?,?,?)", rows)
        many = [(f"{n}", hall.kiosk, "", b"", "", "", "", b"", 2**40) for n in range(visits.MAX_OPEN)]
        connection.executemany("INSERT INTO visit VALUES (?,?,?,?,?,?,?,?,?)", many)
    for call in (hall.port.challenge, lambda: hall.port.authenticate(proof)):
        with pytest.raises(REFUSED_FOR_NOW):
            call()


def flood(hall: Hall, call: Callable[[], object], times: int) -> None:
    """``call`` so often; the last one is too many."""
    assert hall.port.health() is not None  # health counts against nothing
    for _ in range(times - 1):
        try:
            call()
        except REFUSED_FOR_NOW:
            continue
    with pytest.raises(REFUSED_FOR_NOW):
        call()
