"""One request through the office: the ordinary way, and every expected way out of it."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from device.errors import PrinterRefused
from device.printer.memory_printer import MemoryPagePrinter
from device.printer.pdf_drawing import NotAPdf
from device.printer.status import Condition, JobState, PrintJob
from kiosk.issuer.errors import IssuerUnreachable
from kiosk.issuer.protocol import OutcomeKind, Refusal, RefusalReason, page_mark
from kiosk.services.certificates.issuance.issuance import FeeDiffers, KioskClosed, Prepared
from kiosk.services.certificates.issuance.open_matters import Decision
from kiosk.services.certificates.issuance.page_gate import Mismatch
from kiosk.services.certificates.issuance.printing import PrintEnd, PrintResult
from kiosk.services.certificates.issuance.states import Event, IllegalMove, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kiosk.services.certificates.issuance.conftest import Office

NO_PAPER = (Condition.PAPER_OUT, Condition.COVER_OPEN, Condition.JAM, Condition.OFFLINE, Condition.SILENT)


def test_tap_to_paper(office: Office) -> None:
    office.issuer.pages_per_copy = 2
    request = office.paid(copies=2)
    end = office.issuance.print(request)
    assert (end.result, end.impressions, office.printer.pages) == (PrintResult.PRINTED, 4, 4)
    office.issuance.delivered(request)
    assert office.journal.row(request).state is State.DELIVERED
    assert office.issuer.outcomes == {request: OutcomeKind.DELIVERED}
    assert office.journal.refund_list() == []


def test_nothing_is_printed_before_payment(office: Office) -> None:
    request = office.prepared()
    with pytest.raises(IllegalMove):
        office.issuance.print(request)
    assert office.printer.printed == []


def test_nothing_is_printed_twice(office: Office) -> None:
    request = office.paid()
    office.issuance.print(request)
    with pytest.raises(IllegalMove):
        office.issuance.print(request)
    assert len(office.printer.printed) == 1


def test_a_fee_that_differs_is_not_taken(office: Office) -> None:
    request = office.prepared()
    with pytest.raises(FeeDiffers):
        office.issuance.paid(request, "virtual", 299, "ref")
    assert office.journal.row(request).payment is None


def test_a_refusal_of_the_order_ends_the_request(office: Office) -> None:
    order = office.ask()
    office.issuer.refuse_order = RefusalReason.COUNTER
    assert office.issuance.authorise(order) == Refusal(refused=RefusalReason.COUNTER)
    assert office.journal.row(order.content.request).state is State.REFUSED


def test_a_tombstone_between_order_and_document_refuses(office: Office) -> None:
    # Niigata, Saitama, Kumamoto 2023: the issuer looks at the register again, and the kiosk takes no for an answer
    request = office.quoted()
    office.issuer.refuse_document = RefusalReason.NOT_RESIDENT
    assert office.prepare(request) == Refusal(refused=RefusalReason.NOT_RESIDENT)
    assert office.journal.row(request).state is State.REFUSED


def test_an_unreachable_issuer_can_be_asked_again_with_the_same_order(office: Office) -> None:
    order = office.ask()
    office.issuer.reachable = False
    with pytest.raises(IssuerUnreachable):
        office.issuance.authorise(order)
    office.issuer.reachable = True
    office.issuance.authorise(order)
    assert office.states(order.content.request) == ["asked", "authorised", "quoted"]


def test_a_wrong_page_destroys_the_document_and_closes_the_kiosk(office: Office) -> None:
    request = office.quoted(copies=3)
    office.issuer.change_marks = lambda marks: [marks[0], page_mark(request, "another", 2, 3), marks[2]]
    assert office.prepare(request) == Mismatch(2)
    assert [alarm.reason for alarm in office.alarm.open()] == ["page_mismatch"]
    assert office.journal.row(request).state is State.VOIDED
    assert office.printer.printed == []


def test_adachi_2023_trying_again_does_not_clear_the_alarm(office: Office) -> None:
    request, waiting = office.quoted(), office.paid()
    office.issuer.change_marks = lambda marks: marks[::-1] + marks
    office.prepare(request)
    office.issuer.change_marks = list
    with pytest.raises(KioskClosed):
        office.ask()
    with pytest.raises(KioskClosed):
        office.issuance.print(waiting)
    office.start()
    assert office.alarm.closed


@pytest.mark.parametrize("condition", NO_PAPER)
def test_a_printer_that_can_not_print_leaves_the_request_paid(office: Office, condition: Condition) -> None:
    request = office.paid()
    office.printer.set(condition)
    assert office.issuance.print(request) == PrintEnd(PrintResult.FAILED, condition)
    office.printer.set(Condition.READY)
    assert office.issuance.print(request).result is PrintResult.PRINTED
    assert len(office.printer.printed) == 1


def test_a_lost_answer_to_create_leaves_it_paid_and_the_next_attempt_prints_once(office: Office) -> None:
    request = office.paid()
    office.printer.lose_answer("create")
    assert office.issuance.print(request).result is PrintResult.FAILED
    assert office.issuance.print(request).result is PrintResult.PRINTED
    assert [name for name, _ in office.printer.printed] == [f"{request}-2"]


def test_a_lost_answer_to_send_is_made_good_by_the_job_itself(office: Office) -> None:
    request = office.paid()
    office.printer.lose_answer("send")
    assert office.issuance.print(request).result is PrintResult.PRINTED
    assert len(office.printer.printed) == 1


def test_paper_out_in_the_middle_is_told_and_waited_for(make_office: Callable[..., Office]) -> None:
    office, seen = make_office(printer=MemoryPagePrinter(polls_until_complete=2)), []
    request = office.paid()

    def watch(_done: int, _pages: int, condition: Condition) -> None:
        seen.append(condition)
        office.printer.set(Condition.PAPER_OUT if len(seen) < 5 else Condition.READY)

    office.printer.lose_answer("progress")
    assert office.issuance.print(request, watch).result is PrintResult.PRINTED
    assert seen[0] is Condition.SILENT
    assert Condition.PAPER_OUT in seen


def test_yokohama_2023_a_timeout_cancels_the_job_and_nothing_prints_later(make_office: Callable[..., Office]) -> None:
    office = make_office(printer=MemoryPagePrinter(polls_until_complete=1))
    request = office.paid()
    office.on_wait = lambda: office.printer.set(Condition.PAPER_OUT)
    assert office.issuance.print(request).result is PrintResult.UNKNOWN
    office.printer.set(Condition.READY)
    office.printer.let_print(request)
    assert office.printer.printed == []
    assert [row.request for row in office.journal.refund_list()] == [request]


@pytest.mark.parametrize("counted", [0, 1, 3])
def test_completed_with_another_number_of_sides_is_not_printed(
    make_office: Callable[..., Office], counted: int
) -> None:
    office = make_office(printer=MemoryPagePrinter(count_pages=lambda _pdf: counted))
    request = office.paid(copies=2)
    assert office.issuance.print(request) == PrintEnd(PrintResult.UNKNOWN, Condition.READY, counted)
    assert office.journal.row(request).state is State.UNKNOWN


def test_a_document_the_printer_can_not_read_is_for_staff(make_office: Callable[..., Office]) -> None:
    def unreadable(_pdf: bytes) -> int:
        raise NotAPdf

    office = make_office(printer=MemoryPagePrinter(count_pages=unreadable))
    assert office.issuance.print(office.paid()).result is PrintResult.UNKNOWN


@pytest.mark.parametrize("operation", ["create", "send"])
def test_a_printer_that_refuses_leaves_it_paid_and_holds_no_job(
    make_office: Callable[..., Office], operation: str
) -> None:
    class Refusing(MemoryPagePrinter):
        def create(self, name: str) -> PrintJob:
            if operation == "create":
                raise PrinterRefused(status="0x0507", operation="Create-Job")
            return super().create(name)

        def send(self, job: PrintJob, pdf: bytes) -> None:
            if operation == "send":
                raise PrinterRefused(status="0x040a", operation="Send-Document")
            super().send(job, pdf)

    office = make_office(printer=Refusing())
    request = office.paid()
    assert office.issuance.print(request) == PrintEnd(PrintResult.FAILED, Condition.FAULT)
    assert office.journal.row(request).state is State.PAID
    job = office.printer.find(request)
    progress = office.printer.progress(job) if job else None
    assert progress is None or progress.state is JobState.CANCELED


def test_kawasaki_2023_requests_of_the_same_instant_keep_their_own_documents(office: Office) -> None:
    requests = [office.quoted() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        prepared = list(pool.map(office.prepare, requests))
    assert [getattr(p, "request", None) for p in prepared] == requests
    assert not office.alarm.closed
    for request in requests:
        office.pay(request)
        office.issuance.print(request)
    assert [name for name, _pdf in office.printer.printed] == requests
    digests = [hashlib.sha256(pdf).hexdigest() for _name, pdf in office.printer.printed]
    assert digests == [office.journal.row(request).sha256 for request in requests]


def test_an_unknown_end_closes_the_kiosk_until_staff_looked(office: Office) -> None:
    request = office.paid()
    office.printer.lose_answer("progress")
    office.on_wait = office.printer.restart
    end = office.issuance.print(request)
    assert end.result is PrintResult.UNKNOWN
    assert [alarm.reason for alarm in office.alarm.open()] == ["paper_unaccounted"]
    assert office.issuer.outcomes == {request: OutcomeKind.UNKNOWN}


def test_the_kiosks_own_surprise_while_printing_is_unknown_too(office: Office) -> None:
    request = office.paid()

    def broken_screen(_done: int, _pages: int, _condition: Condition) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        office.issuance.print(request, broken_screen)
    assert office.journal.row(request).state is State.UNKNOWN
    assert office.alarm.closed


def test_the_process_ending_leaves_the_job_to_recovery(office: Office) -> None:
    request, stop = office.paid(), threading.Event()
    stop.set()
    assert office.issuance.print(request, stop=stop).result is PrintResult.UNKNOWN
    assert office.journal.row(request).state is State.PRINTING
    assert not office.alarm.closed


@pytest.mark.parametrize("step", ["asked", "quoted", "prepared"])
def test_what_is_not_paid_can_be_voided(office: Office, step: str) -> None:
    made = {"asked": lambda: office.ask().content.request, "quoted": office.quoted, "prepared": office.prepared}
    request = made[step]()
    office.issuance.void(request, "idle")
    assert office.journal.row(request).state is State.VOIDED
    assert office.issuer.outcomes == ({} if step == "asked" else {request: OutcomeKind.VOIDED})


def test_what_is_paid_can_not_be_voided_but_given_up_onto_the_refund_list(office: Office) -> None:
    request = office.paid()
    with pytest.raises(IllegalMove):
        office.issuance.void(request, "idle")
    assert office.issuance.give_up(request, "printer_fault") is State.VOIDED
    assert [row.request for row in office.journal.refund_list()] == [request]


def test_paper_not_seen_taken_is_for_staff(office: Office) -> None:
    request = office.paid()
    office.issuance.print(request)
    assert office.issuance.give_up(request, "not_taken") is State.UNKNOWN
    assert office.alarm.closed
    assert office.issuance.give_up(request, "again") is State.UNKNOWN


def test_a_payment_a_moment_after_voiding_is_on_the_refund_list(office: Office) -> None:
    request = office.prepared()
    office.issuance.void(request, "idle")
    office.pay(request)
    assert [row.request for row in office.journal.refund_list()] == [request]
    with pytest.raises(IllegalMove):
        office.issuance.print(request)


def test_munakata_2023_a_forgotten_document_can_not_be_printed(office: Office) -> None:
    request = office.paid()
    office.issuance.forget(request)
    assert office.issuance.print(request).result is PrintResult.FAILED
    assert office.printer.printed == []


def test_a_document_whose_answer_was_lost_is_fetched_once_more(office: Office) -> None:
    request = office.quoted()
    office.issuer.lose_answers = 1
    assert isinstance(office.prepare(request), Prepared)


def test_a_document_that_is_lost_twice_is_voided_and_nothing_is_paid(office: Office) -> None:
    request = office.quoted()
    office.issuer.lose_answers = 2
    with pytest.raises(IssuerUnreachable):
        office.prepare(request)
    office.issuance.give_up(request, "issuer")
    assert office.issuer.outcomes == {request: OutcomeKind.VOIDED}
    assert office.journal.refund_list() == []


def test_an_issuer_that_takes_no_more_is_told_later(office: Office) -> None:
    request = office.paid()
    office.issuer.busy = True
    office.issuance.give_up(request, "printer")
    assert office.issuance.tell_outcomes() == 1
    office.issuer.busy = False
    assert office.issuance.tell_outcomes() == 0


def test_the_key_of_an_outcome_outlives_a_restart_and_is_wiped_when_it_was_told(office: Office) -> None:
    request = office.prepared()
    assert keys(office) == [request]
    office.start()
    office.issuance.recover()
    assert office.issuer.outcomes == {request: OutcomeKind.VOIDED}
    assert keys(office) == []


def test_the_key_of_an_unknown_outcome_stays_until_staff_have_settled_it(office: Office) -> None:
    request = office.paid()
    office.journal.move(request, Event.PRINT)
    office.journal.move(request, Event.LOSE)
    assert office.issuance.tell_outcomes() == 0
    assert (office.issuer.outcomes, keys(office)) == ({request: OutcomeKind.UNKNOWN}, [request])
    office.matters.resolve(request, Decision.DELIVERED)
    office.issuance.tell_outcomes()
    assert (office.issuer.outcomes, keys(office)) == ({request: OutcomeKind.DELIVERED}, [])


def test_the_visit_s_token_is_nowhere_on_the_disk(office: Office) -> None:
    office.prepared()
    assert office.resident is not None
    kept = b"".join(file.read_bytes() for file in office.path.parent.glob(f"{office.path.name}*"))
    assert office.resident.visit.encode() not in kept


def keys(office: Office) -> list[str]:
    return [row["request"] for row in office.store.rows("SELECT request FROM outcome_key")]


def test_an_outcome_the_issuer_did_not_hear_is_told_later(office: Office) -> None:
    request = office.paid()
    office.issuance.print(request)
    office.issuer.reachable = False
    office.issuance.delivered(request)
    assert office.issuance.tell_outcomes() == 1
    office.issuer.reachable = True
    assert office.issuance.tell_outcomes() == 0
    assert office.issuer.outcomes == {request: OutcomeKind.DELIVERED}
