"""After a crash: what recovery decides, and a campaign that crashes at every step (N2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.printer.memory_printer import MemoryPagePrinter
from device.printer.status import Condition, PrintJob
from kiosk.issuer.protocol import OutcomeKind
from kiosk.services.certificates.issuance.journal import RequestRow
from kiosk.services.certificates.issuance.recovery import Action, Found, plan
from kiosk.services.certificates.issuance.states import State

if TYPE_CHECKING:
    from tests.kiosk.services.certificates.issuance.conftest import Crash, Office

JOB = PrintJob(1, "urn:uuid:job", "urn:uuid:printer", 5)


@pytest.fixture
def row(office: Office) -> RequestRow:
    return office.journal.row(office.paid())


@pytest.mark.parametrize(
    ("state", "job", "found", "action"),
    [
        (State.ASKED, None, Found.NONE, Action.VOID),
        (State.AUTHORISED, None, Found.NONE, Action.VOID),
        (State.QUOTED, None, Found.NONE, Action.VOID),
        (State.PREPARED, None, Found.NONE, Action.VOID),
        (State.PAID, None, Found.NONE, Action.VOID),
        (State.PAID, JOB, Found.NONE, Action.VOID),
        (State.PRINTING, None, Found.NONE, Action.DROP_AND_VOID),
        (State.PRINTING, JOB, Found.OURS, Action.FOLLOW),
        (State.PRINTING, JOB, Found.NONE, Action.ASK_STAFF),
        (State.PRINTING, JOB, Found.SILENT, Action.ASK_STAFF),
        (State.PRINTED, JOB, Found.NONE, Action.ASK_STAFF),
        *((state, JOB, Found.NONE, Action.NOTHING) for state in State if state.final),
    ],
)
def test_the_plan(row: RequestRow, state: State, job: PrintJob | None, found: Found, action: Action) -> None:
    assert plan(dataclasses.replace(row, state=state, job=job), found) is action


def test_the_plan_never_prints_and_knows_every_state(row: RequestRow) -> None:
    plans = {
        plan(dataclasses.replace(row, state=state, job=job), f) for state in State for job in (None, JOB) for f in Found
    }
    assert plans == set(Action)


def test_a_job_with_our_name_but_another_identity_is_not_ours(office: Office) -> None:
    request = office.paid()
    office.journal.printing(request)
    office.journal.sending(request, JOB)
    office.printer.create(request)  # ids begin again after the printer's restart
    office.start()
    assert office.issuance.recover() == [(request, Action.ASK_STAFF)]


def test_a_job_that_goes_on_is_followed_and_left_to_staff(make_office: Callable[..., Office]) -> None:
    office = make_office(printer=MemoryPagePrinter(polls_until_complete=3))
    request = office.paid()
    job = office.printer.create(office.journal.printing(request).job_name)
    office.journal.sending(request, job)
    office.printer.send(job, b"".join(_pdf(office, request)))
    office.start()
    assert office.issuance.recover() == [(request, Action.FOLLOW)]
    assert office.states(request)[-2:] == ["printed", "unknown"]
    assert office.alarm.closed


def test_recovery_a_second_time_finds_nothing_to_do(office: Office) -> None:
    office.paid()
    office.start()
    office.issuance.recover()
    assert office.issuance.recover() == []


def test_recovery_tells_the_issuer_once_it_can_be_reached(office: Office) -> None:
    request = office.paid()
    office.start()
    office.issuer.reachable = False
    office.issuance.recover()
    office.issuer.reachable = True
    office.issuance.recover()
    assert office.issuer.outcomes == {request: OutcomeKind.VOIDED}


def _pdf(office: Office, request: str) -> list[bytes]:
    from kiosk.issuer.protocol import DocumentRequest

    assert office.resident is not None
    document = office.issuer.document(request, DocumentRequest(visit=office.resident.visit))
    return [getattr(document, "pdf", b"")]


def _visit(office: Office) -> None:
    """One resident who asks, pays, waits for the paper, tries again once when nothing was sent, and takes it."""
    request = office.paid(copies=2)
    end = office.issuance.print(request)
    if end.result.value == "failed":
        end = office.issuance.print(request)
    if end.result.value == "printed":
        office.issuance.delivered(request)
    else:
        office.issuance.give_up(request, "printer")


def _must_hold(office: Office) -> None:
    """N2, and that nobody else is served while paper is unaccounted for."""
    names = [name for name, _pdf in office.printer.printed]
    for row in office.journal.all_rows():
        printed = sum(name in (row.request, f"{row.request}-2") for name in names)
        assert row.state.final
        assert printed <= (1 if row.payment else 0)
        if printed:
            assert row.state in (State.DELIVERED, State.UNKNOWN)
        if row.payment and row.state is not State.DELIVERED:
            assert row in office.journal.refund_list()
        if row.state is State.UNKNOWN:
            assert office.alarm.closed
    assert office.journal.untold() == []
    office.audit.verify()


def _live(office: Office, crash: type[Crash], at: int | None, again: int | None) -> bool:
    """A visit that crashes at ``at``, a recovery that crashes at ``again``, a whole one. Whether the visit crashed."""
    crashed = False
    office.fuse.at, office.fuse.crossed = at, 0
    try:
        _visit(office)
    except crash:
        crashed = True
    office.start()
    office.fuse.at, office.fuse.crossed = again, 0
    with suppress(crash):
        office.issuance.recover()
    office.start()
    office.fuse.at = None
    office.issuance.recover()
    return crashed


@pytest.mark.parametrize("polls", [0, 2])
def test_a_crash_at_any_step_loses_no_payment_and_prints_nothing_twice(
    make_office: Callable[..., Office], crash: type[Crash], polls: int
) -> None:
    step, ends = 0, set()
    while True:
        office = make_office(printer=MemoryPagePrinter(polls_until_complete=polls))
        crashed = _live(office, crash, step, None)
        _must_hold(office)
        ends |= {row.state for row in office.journal.all_rows()}
        if not crashed:
            break
        step += 1
    assert step > 40
    assert ends == {State.VOIDED, State.UNKNOWN, State.DELIVERED}


def _paper_comes_out(office: Office) -> None:
    for row in office.journal.all_rows():
        office.printer.let_print(row.job_name)


BETWEEN: dict[str, Callable[[Office], None]] = {
    "nothing": lambda _office: None,
    "printer restarts": lambda office: office.printer.restart(),
    "paper comes out": _paper_comes_out,
    "printer silent": lambda office: office.printer.set(Condition.SILENT),
    "paper out": lambda office: office.printer.set(Condition.PAPER_OUT),
}


class Story(NamedTuple):
    """Where it crashes, how the printer is minded, and what happens while the box is dark."""

    at: int
    again: int | None
    polls: int
    lost: set[str]
    between: str


STORIES = st.builds(
    Story,
    at=st.integers(0, 90),
    again=st.none() | st.integers(0, 25),
    polls=st.integers(0, 3),
    lost=st.sets(st.sampled_from(["create", "send", "progress", "find", "cancel"])),
    between=st.sampled_from(sorted(BETWEEN)),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=STORIES)
def test_crashes_lost_answers_and_a_moody_printer(
    make_office: Callable[..., Office], crash: type[Crash], story: Story
) -> None:
    office = make_office(printer=MemoryPagePrinter(polls_until_complete=story.polls))
    for operation in story.lost:
        office.printer.lose_answer(operation)
    office.on_restart = lambda: BETWEEN[story.between](office)
    _live(office, crash, story.at, story.again)
    _must_hold(office)
