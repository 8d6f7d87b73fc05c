"""The journal: what stands in it, and what cannot get into it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from device.printer.status import PrintJob
from kiosk.issuer.protocol import OutcomeKind
from kiosk.services.certificates.issuance.journal import Payment, UnknownRequest
from kiosk.services.certificates.issuance.states import Event, IllegalMove, State

if TYPE_CHECKING:
    from tests.kiosk.services.certificates.issuance.conftest import Crash, Office

WHOLE = ["asked", "authorised", "quoted", "prepared", "paid", "printing", "printed", "delivered"]


def test_a_whole_request_leaves_every_move_with_its_time(office: Office) -> None:
    request = office.paid(copies=2)
    office.issuance.print(request)
    office.clock.advance(60)
    office.issuance.delivered(request)
    assert office.states(request) == WHOLE
    times = [move.at for move in office.journal.moves(request)]
    assert times == sorted(times)
    assert times[-1] == "2026-11-23T09:01:00.000+09:00"


def test_every_move_stands_in_the_audit_too(office: Office) -> None:
    request = office.paid()
    told = [line.facts["state"] for line in office.audit.lines() if line.event == "request_moved"]
    assert told == office.states(request) == WHOLE[:5]
    office.audit.verify()


def test_the_row_knows_pages_digest_payment_and_issue_number(office: Office) -> None:
    office.issuer.pages_per_copy = 2
    row = office.journal.row(office.paid(copies=3))
    assert (row.pages, row.fee_yen, row.issue_number, len(row.sha256)) == (6, 900, "M-000001", 64)
    assert row.payment == Payment("virtual", 900, f"ref-{row.request[:8]}")


def test_a_move_survives_a_restart_and_an_illegal_one_changes_nothing(office: Office) -> None:
    request = office.quoted()
    with pytest.raises(IllegalMove):
        office.journal.move(request, Event.PRINT)
    office.start()
    assert office.journal.row(request).state is State.QUOTED


def test_a_crash_within_the_audit_takes_the_move_back_with_it(office: Office, crash: type[Crash]) -> None:
    request = office.quoted()
    office.fuse.crossed, office.fuse.at = 0, 1
    with pytest.raises(crash):
        office.journal.move(request, Event.VOID, "test")
    assert office.states(request) == WHOLE[:3]
    assert office.journal.row(request).state is State.QUOTED


def test_the_same_request_can_not_be_asked_twice(office: Office) -> None:
    order = office.ask()
    with pytest.raises(sqlite3.IntegrityError):
        office.issuance.ask("visit-2", order.content)


def test_the_same_payment_told_twice_is_one_and_another_one_is_refused(office: Office) -> None:
    request = office.paid()
    office.pay(request)
    with pytest.raises(IllegalMove):
        office.journal.paid(request, Payment("virtual", 300, "another"))
    assert office.states(request).count("paid") == 1


def test_a_job_is_written_once_an_attempt_and_only_while_printing(office: Office) -> None:
    request, job = office.paid(), PrintJob(7, "urn:uuid:job", "urn:uuid:printer", 99)
    with pytest.raises(IllegalMove):
        office.journal.sending(request, job)
    assert office.journal.printing(request).job is None
    office.journal.sending(request, job)
    assert office.journal.row(request).job == job
    with pytest.raises(IllegalMove):
        office.journal.sending(request, job)


def test_a_second_attempt_has_another_job_name(office: Office) -> None:
    request = office.paid()
    first = office.journal.printing(request).job_name
    office.journal.move(request, Event.FAIL, "test")
    assert (first, office.journal.printing(request).job_name) == (request, f"{request}-2")


def test_the_issuer_need_not_hear_of_what_was_only_asked(office: Office) -> None:
    order = office.ask()
    office.journal.move(order.content.request, Event.VOID, "idle")
    assert office.journal.untold() == []


def test_an_outcome_that_changed_is_told_again(office: Office) -> None:
    request = office.paid()
    office.journal.printing(request)
    office.journal.move(request, Event.LOSE, "test")
    (unknown,) = office.journal.untold()
    office.journal.move(request, Event.DELIVER, "staff")
    office.journal.told(unknown)  # the confirmation of the old outcome comes too late
    assert [told.outcome for told in office.journal.untold()] == [OutcomeKind.DELIVERED]


def test_an_unknown_request_is_a_surprise(office: Office) -> None:
    with pytest.raises(UnknownRequest):
        office.journal.row("nobody")


def test_no_name_and_no_document_stand_in_the_file(office: Office) -> None:
    request = office.paid()
    office.issuance.print(request)
    office.issuance.delivered(request)
    office.store.close()
    held = b"".join(file.read_bytes() for file in office.path.parent.glob(f"{office.path.name}*"))
    assert request.encode() in held
    assert "試験 一郎".encode() not in held
    assert b"%PDF" not in held
    office.start()
