"""The staff code: never shown, and slow to guess."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from device.clock import JST, HeldClock
from kiosk.services.certificates.payment.counter import CounterTerminal
from kiosk.services.certificates.payment.terminal import Waiting
from kiosk.shell.staff_code import (
    Accepted,
    LockedOut,
    StaffCode,
    WrongCode,
    delay_after,
    hash_staff_code,
    matches,
    staff_code_of,
)

if TYPE_CHECKING:
    from tests.conftest import KeptAudit

RIGHT = "4711-TEST"


@pytest.fixture(scope="module")
def kept() -> str:
    return hash_staff_code(staff_code_of(RIGHT))


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(datetime(2026, 11, 23, 9, 0, tzinfo=JST))


def test_a_hash_is_salted_and_does_not_hold_the_code(kept: str) -> None:
    again = hash_staff_code(staff_code_of(RIGHT))
    assert kept != again
    assert RIGHT not in kept + again
    assert matches(staff_code_of(RIGHT), again)


def test_full_width_digits_are_the_same_code(kept: str) -> None:
    assert matches(staff_code_of("４７１１-TEST"), kept)


@pytest.mark.parametrize("unusable", ["", "scrypt", "scrypt$$", "scrypt$!$!", "plain$AAAA$AAAA"])
def test_an_unusable_hash_matches_no_code(unusable: str) -> None:
    assert not matches(staff_code_of(RIGHT), unusable)
    assert not matches(staff_code_of(""), unusable)


def test_the_code_is_wiped_after_the_check(kept: str, clock: HeldClock) -> None:
    code = staff_code_of(RIGHT)
    assert StaffCode(kept, clock).check(code) == Accepted()
    assert code.reveal() == b""


def test_after_five_wrong_codes_even_the_right_one_waits(kept: str, clock: HeldClock) -> None:
    door = StaffCode(kept, clock)
    answers = [door.check(staff_code_of("wrong")) for _ in range(5)]
    assert answers == [WrongCode(0.0)] * 4 + [WrongCode(30.0)]
    assert door.check(staff_code_of(RIGHT)) == LockedOut(30.0)
    clock.step(3600)  # setting the wall clock does not open the door
    assert door.check(staff_code_of(RIGHT)) == LockedOut(30.0)
    clock.advance(30)
    assert door.check(staff_code_of(RIGHT)) == Accepted()


def test_the_right_code_forgives_the_wrong_ones(kept: str, clock: HeldClock) -> None:
    door = StaffCode(kept, clock)
    for _ in range(4):
        door.check(staff_code_of("wrong"))
    door.check(staff_code_of(RIGHT))
    assert door.check(staff_code_of("wrong")) == WrongCode(0.0)


def test_the_delay_doubles_up_to_an_hour() -> None:
    assert [delay_after(n) for n in (1, 4, 5, 6, 7, 11, 12, 500)] == [0, 0, 30, 60, 120, 1920, 3600, 3600]


def test_a_wrong_code_takes_no_fee_and_stands_in_the_audit_without_itself(
    kept: str, clock: HeldClock, audit: KeptAudit
) -> None:
    counter = CounterTerminal(StaffCode(kept, clock), audit)
    counter.begin("request-1", 300)
    counter.confirm(staff_code_of("secret-try"), "visit-1")
    assert counter.state() == Waiting("request-1", 300)
    assert audit.lines == [("staff_code_refused", {"visit": "visit-1"})]
