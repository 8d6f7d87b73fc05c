"""Every payment terminal keeps the same promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.clock import SystemClock
from device.store import Store
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.payment.counter import CounterTerminal
from kiosk.services.certificates.payment.fee_terminal import TerminalBusy
from kiosk.services.certificates.payment.terminal import Cancelled, Idle, Paid, PaymentTerminal, Waiting
from kiosk.services.certificates.payment.virtual import VirtualTerminal
from kiosk.shell.staff_code import StaffCode, hash_staff_code, staff_code_of
from kiosk.shell.wrong_codes import Place, WrongCodes

if TYPE_CHECKING:
    from tests.conftest import KeptAudit


class Bench(NamedTuple):
    """A terminal and the act by which its fee gets paid."""

    terminal: PaymentTerminal
    pay: Callable[[], object]


@pytest.fixture(params=["counter", "virtual"])
def bench(request: pytest.FixtureRequest, audit: KeptAudit, tmp_path: Path) -> Bench:
    if request.param == "virtual":
        virtual = VirtualTerminal()
        return Bench(virtual, virtual.confirm)
    wrong_codes = WrongCodes(Store(tmp_path / "kiosk.db", KIOSK_MIGRATIONS), Place.PAYMENT)
    code = StaffCode(hash_staff_code(staff_code_of("1234-TEST")), SystemClock(), wrong_codes)
    counter = CounterTerminal(code, audit)
    return Bench(counter, lambda: counter.confirm(staff_code_of("1234-TEST"), "visit-1"))


def test_nothing_is_asked_for_at_first(bench: Bench) -> None:
    bench.pay()
    assert bench.terminal.state() == Idle()


def test_a_fee_is_waited_for_then_paid_once(bench: Bench) -> None:
    bench.terminal.begin("request-1", 300)
    assert bench.terminal.state() == Waiting("request-1", 300)
    bench.pay()
    paid = bench.terminal.state()
    assert isinstance(paid, Paid)
    assert (paid.request, paid.method, paid.yen) == ("request-1", bench.terminal.method, 300)
    bench.pay()
    assert bench.terminal.state() == paid


def test_asking_again_for_the_same_request_takes_no_second_fee(bench: Bench) -> None:
    bench.terminal.begin("request-1", 300)
    bench.pay()
    paid = bench.terminal.state()
    bench.terminal.begin("request-1", 300)
    assert bench.terminal.state() == paid


def test_another_request_has_to_wait(bench: Bench) -> None:
    bench.terminal.begin("request-1", 300)
    with pytest.raises(TerminalBusy):
        bench.terminal.begin("request-2", 600)
    assert bench.terminal.state() == Waiting("request-1", 300)


def test_nothing_is_taken_after_cancelling(bench: Bench) -> None:
    bench.terminal.begin("request-1", 300)
    assert bench.terminal.cancel() == Cancelled("request-1")
    bench.pay()
    assert bench.terminal.state() == Cancelled("request-1")


def test_cancelling_too_late_says_that_it_was_paid(bench: Bench) -> None:
    bench.terminal.begin("request-1", 300)
    bench.pay()
    assert isinstance(bench.terminal.cancel(), Paid)


def test_two_payments_have_two_references(bench: Bench) -> None:
    references = set()
    for request in ("request-1", "request-2"):
        bench.terminal.begin(request, 300)
        bench.pay()
        state = bench.terminal.state()
        assert isinstance(state, Paid)
        references.add(state.reference)
    assert len(references) == 2


@given(st.lists(st.sampled_from(["begin", "pay", "cancel"]), max_size=12))
def test_the_virtual_terminal_is_paid_only_by_the_person(acts: list[str]) -> None:
    terminal, expected = VirtualTerminal(), "Idle"
    for act in acts:
        {"begin": lambda: terminal.begin("r", 300), "pay": terminal.confirm, "cancel": terminal.cancel}[act]()
        table = {
            ("begin", "Idle"): "Waiting",
            ("begin", "Cancelled"): "Waiting",
            ("pay", "Waiting"): "Paid",
            ("cancel", "Waiting"): "Cancelled",
        }
        expected = table.get((act, expected), expected)
        assert type(terminal.state()).__name__ == expected
