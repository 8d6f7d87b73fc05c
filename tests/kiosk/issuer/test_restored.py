"""The issuer's stores after a restore: nothing that may have been used since the back-up is good any more."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from device.clock import JST
from device.store import Store
from kiosk.issuer import protocol as p
from kiosk.issuer.challenges import Challenges
from kiosk.issuer.ledger import Ledger
from kiosk.issuer.protocol import OutcomeKind, RefusalReason
from kiosk.issuer.visits import Visits
from kiosk.issuer.wiring import LEDGER_MIGRATIONS

if TYPE_CHECKING:
    from tests.kiosk.issuer.conftest import Hall


def _document(hall: Hall, visit: p.Resident, request: str) -> p.Document | p.Refusal:
    return hall.port.document(request, p.DocumentRequest(visit=visit.visit))


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
    assert hall.told(visit, content, told) == p.Settled(outcome=told)
    assert isinstance(_document(hall, visit, content.request), p.Refusal)


def test_an_outcome_told_before_the_back_up_stays(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    hall.told(visit, content, OutcomeKind.DELIVERED)
    assert Ledger(hall.ledger).restored() == 0


def test_numbers_that_may_be_lost_are_reserved_and_no_request_is_invented(hall: Hall) -> None:
    visit = hall.enter()
    assert hall.quoted(visit.visit, hall.content(visit)).issue_number.startswith("R8-000001-")
    assert Ledger(hall.ledger).leave_gap(hall.clock.now(), 1000).startswith("R8-001001-")
    assert [tuple(row) for row in hall.ledger.rows("SELECT year, first, last FROM issue_number_gap")] == [
        ("R8", 2, 1001)
    ]
    assert len(hall.ledger.rows("SELECT * FROM request")) == 1
    assert hall.quoted(visit.visit, hall.content(visit)).issue_number.startswith("R8-001002-")


def test_a_gap_is_of_its_own_year(hall: Hall) -> None:
    Ledger(hall.ledger).leave_gap(hall.clock.now() - timedelta(days=365), 1000)
    visit = hall.enter()
    assert hall.quoted(visit.visit, hall.content(visit)).issue_number.startswith("R8-000001-")


def test_a_ledger_of_the_release_before_gets_its_table_of_gaps_and_keeps_counting(tmp_path: Path) -> None:
    at = datetime(2026, 11, 23, 12, 0, tzinfo=JST)
    with closing(Store(tmp_path / "ledger.db", LEDGER_MIGRATIONS[:4])) as old, old.transaction() as connection:
        row = ("restored-0", "", "R8", 1000, "R8-001000-1", b"{}", "voided")  # how that release left a gap
        connection.execute("INSERT INTO request VALUES (?,?,?,?,?,?,?)", row)
    with closing(Store(tmp_path / "ledger.db", LEDGER_MIGRATIONS)) as store:
        assert Ledger(store).leave_gap(at, 5).startswith("R8-001005-")


def test_neither_visit_nor_nonce_outlives_a_restore(hall: Hall) -> None:
    visit = hall.enter()
    order, proof = hall.signed(visit.visit, hall.content(visit)), hall.proof()
    Visits(hall.ledger, hall.clock).forget()
    Challenges(hall.ledger, hall.clock).forget()
    assert hall.port.order(order) == p.Refusal(refused=RefusalReason.CHALLENGE)
    assert hall.port.authenticate(proof) == p.Refusal(refused=RefusalReason.CHALLENGE)
