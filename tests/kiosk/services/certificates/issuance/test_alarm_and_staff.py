"""The alarm that only a person clears, and what staff can decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kiosk.issuer.protocol import OutcomeKind
from kiosk.services.certificates.issuance.alarm_reasons import PAGE_MISMATCH, PAPER_UNACCOUNTED
from kiosk.services.certificates.issuance.open_matters import Decision, NothingToResolve
from kiosk.services.certificates.issuance.states import State

if TYPE_CHECKING:
    from tests.kiosk.services.certificates.issuance.conftest import Office


def unknown(office: Office) -> str:
    request = office.paid()
    office.issuance.print(request)
    office.issuance.give_up(request, "not_taken")
    return request


def test_a_new_box_is_not_closed_and_clearing_nothing_says_nothing(office: Office) -> None:
    assert not office.alarm.closed
    office.alarm.clear()
    assert office.audit.lines() == []


def test_an_alarm_outlives_a_restart_and_is_cleared_by_staff(office: Office) -> None:
    office.alarm.raise_(PAGE_MISMATCH, "request-1")
    office.alarm.raise_(PAPER_UNACCOUNTED)
    office.start()
    assert [(a.reason, a.request) for a in office.alarm.open()] == [
        (PAGE_MISMATCH, "request-1"),
        (PAPER_UNACCOUNTED, ""),
    ]
    office.alarm.clear()
    assert not office.alarm.closed
    assert [line.event for line in office.audit.lines()] == ["kiosk_closed", "kiosk_closed", "kiosk_reopened"]


def test_paper_in_the_residents_hand_after_all(office: Office) -> None:
    request = unknown(office)
    assert [row.request for row in office.matters.waiting()] == [request]
    assert office.matters.resolve(request, Decision.DELIVERED).state is State.DELIVERED
    assert office.matters.waiting() == []
    assert [told.outcome for told in office.journal.untold()] == [OutcomeKind.DELIVERED]


def test_paper_destroyed_and_money_returned(office: Office) -> None:
    request = unknown(office)
    row = office.matters.resolve(request, Decision.REFUND)
    assert (row.state, row.refund_due) == (State.VOIDED, False)
    assert row.refunded_at is not None
    assert office.journal.refund_list() == []


def test_a_refund_for_paper_that_never_came(office: Office) -> None:
    request = office.paid()
    office.issuance.give_up(request, "printer")
    office.matters.resolve(request, Decision.REFUND)
    assert office.matters.waiting() == []
    with pytest.raises(NothingToResolve):
        office.matters.resolve(request, Decision.REFUND)


def test_a_visit_that_still_goes_on_is_not_for_staff(office: Office) -> None:
    request = office.paid()
    assert office.matters.waiting() == []
    with pytest.raises(NothingToResolve):
        office.matters.resolve(request, Decision.REFUND)


def test_what_was_voided_can_not_be_called_delivered(office: Office) -> None:
    request = office.paid()
    office.issuance.give_up(request, "printer")
    with pytest.raises(NothingToResolve):
        office.matters.resolve(request, Decision.DELIVERED)


def test_a_decision_stands_in_the_audit(office: Office) -> None:
    request = unknown(office)
    office.matters.resolve(request, Decision.REFUND)
    last = office.audit.lines()[-1]
    assert (last.event, last.facts) == ("request_resolved", {"request": request, "decision": "refund"})
