"""The issuer's stores after a restore: nothing that may have been used since the back-up is good any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kiosk.issuer import protocol as p
from kiosk.issuer.challenges import Challenges
from kiosk.issuer.ledger import Ledger
from kiosk.issuer.protocol import OutcomeKind, RefusalReason
from kiosk.issuer.visits import Visits

if TYPE_CHECKING:
    from tests.kiosk.issuer.conftest import Hall


def _document(hall: Hall, visit: p.Resident, request: str) -> p.Document | p.Refusal:
    return hall.port.document(request, p.DocumentRequest(kiosk=hall.kiosk, visit=visit.visit))


def test_a_document_that_may_have_been_printed_since_is_not_given_out_again(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    quote = hall.quoted(visit.visit, content)
    assert isinstance(_document(hall, visit, content.request), p.Document)
    assert Ledger(hall.ledger).restored() == 1
    assert _document(hall, visit, content.request) == p.Refusal(refused=RefusalReason.ORDER_INVALID)
    assert hall.quoted(visit.visit, content) == quote
    assert Ledger(hall.ledger).restored() == 0


@pytest.mark.parametrize("told", [OutcomeKind.DELIVERED, OutcomeKind.VOIDED])
def test_what_the_kiosk_knows_settles_what_a_restore_left_unknown(hall: Hall, told: OutcomeKind) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    Ledger(hall.ledger).restored()
    assert hall.port.outcome(content.request, p.Outcome(kiosk=hall.kiosk, outcome=told)) == p.Settled(outcome=told)
    assert isinstance(_document(hall, visit, content.request), p.Refusal)


def test_an_outcome_told_before_the_back_up_stays(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    hall.port.outcome(content.request, p.Outcome(kiosk=hall.kiosk, outcome=OutcomeKind.DELIVERED))
    assert Ledger(hall.ledger).restored() == 0


def test_neither_visit_nor_nonce_outlives_a_restore(hall: Hall) -> None:
    visit = hall.enter()
    order, proof = hall.signed(visit.visit, hall.content(visit)), hall.proof()
    Visits(hall.ledger, hall.clock).forget()
    Challenges(hall.ledger, hall.clock).forget()
    assert hall.port.order(order) == p.Refusal(refused=RefusalReason.CHALLENGE)
    assert hall.port.authenticate(proof) == p.Refusal(refused=RefusalReason.CHALLENGE)
