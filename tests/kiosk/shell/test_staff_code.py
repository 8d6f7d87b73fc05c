"""The staff code: never shown, and slow to guess."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from device.clock import JST, HeldClock
from device.store import Store
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.payment.counter import CounterTerminal
from kiosk.services.certificates.payment.terminal import Waiting
from kiosk.shell.staff_code import (
    Accepted,
    CodeCheck,
    LockedOut,
    StaffCode,
    StaffCodeShort,
    WrongCode,
    delay_after,
    hash_staff_code,
    matches,
    new_staff_code,
    staff_code_of,
)
from kiosk.shell.wrong_codes import Place, WrongCodes

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


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "kiosk.db", KIOSK_MIGRATIONS)


@pytest.fixture
def door(kept: str, clock: HeldClock, store: Store) -> StaffCode:
    """The staff screen's."""
    return StaffCode(kept, clock, WrongCodes(store, Place.STAFF_SCREEN))


@pytest.fixture
def payment(kept: str, clock: HeldClock, store: Store) -> StaffCode:
    return StaffCode(kept, clock, WrongCodes(store, Place.PAYMENT))


def wrong(door: StaffCode, times: int) -> list[CodeCheck]:
    return [door.check(staff_code_of("wrong")) for _ in range(times)]


def test_the_code_is_wiped_after_the_check(door: StaffCode) -> None:
    code = staff_code_of(RIGHT)
    assert door.check(code) == Accepted()
    assert code.reveal() == b""


def test_after_five_wrong_codes_even_the_right_one_waits(door: StaffCode, clock: HeldClock) -> None:
    assert wrong(door, 5) == [WrongCode(0.0, n) for n in (1, 2, 3, 4)] + [WrongCode(15.0, 5)]
    assert door.check(staff_code_of(RIGHT)) == LockedOut(15.0)
    clock.step(3600)  # setting the wall clock does not open the door
    assert door.check(staff_code_of(RIGHT)) == LockedOut(15.0)
    clock.advance(15)
    assert door.check(staff_code_of(RIGHT)) == Accepted()


def test_the_right_code_forgives_the_wrong_ones(door: StaffCode) -> None:
    wrong(door, 4)
    door.check(staff_code_of(RIGHT))
    assert wrong(door, 1) == [WrongCode(0.0, 1)]


def test_an_hour_without_a_wrong_code_forgives_them_too(door: StaffCode, clock: HeldClock) -> None:
    wrong(door, 5)
    clock.advance(3599)
    assert wrong(door, 1) == [WrongCode(30.0, 6)]
    clock.advance(3600)
    assert wrong(door, 1) == [WrongCode(0.0, 1)]


def test_the_delay_doubles_up_to_a_minute_at_the_payment_and_five_at_the_staff_screen() -> None:
    tries = (1, 4, 5, 6, 7, 8, 9, 10, 500)
    assert [delay_after(n, Place.PAYMENT) for n in tries] == [0, 0, 15, 30, 60, 60, 60, 60, 60]
    assert [delay_after(n, Place.STAFF_SCREEN) for n in tries] == [0, 0, 15, 30, 60, 120, 240, 300, 300]


@pytest.mark.attacks
def test_wrong_codes_at_the_staff_screen_never_close_the_payment(
    door: StaffCode, payment: StaffCode, clock: HeldClock
) -> None:
    for _ in range(50):
        wrong(door, 1)
        clock.advance(300)
    assert payment.check(staff_code_of(RIGHT)) == Accepted()


@pytest.mark.attacks
def test_whatever_a_visitor_types_at_the_payment_staff_wait_a_minute_at_most(
    payment: StaffCode, clock: HeldClock
) -> None:
    for _ in range(200):
        wrong(payment, 3)
        clock.advance(7)
    clock.advance(60)
    assert payment.check(staff_code_of(RIGHT)) == Accepted()


@pytest.mark.attacks
def test_pulling_the_plug_gives_no_fresh_tries(kept: str, door: StaffCode, clock: HeldClock, store: Store) -> None:
    wrong(door, 7)
    clock.advance(20)
    wrong(door, 2)
    clock.advance(20)
    again = StaffCode(kept, HeldClock(clock.now()), WrongCodes(store, Place.STAFF_SCREEN))
    assert again.check(staff_code_of(RIGHT)) == LockedOut(10.0)


def test_a_clock_that_went_back_while_the_box_was_off_makes_nobody_wait_longer_than_the_longest(
    kept: str, door: StaffCode, clock: HeldClock, store: Store
) -> None:
    wrong(door, 5)
    behind = HeldClock(datetime(2020, 1, 1, tzinfo=JST))
    again = StaffCode(kept, behind, WrongCodes(store, Place.STAFF_SCREEN))
    assert again.check(staff_code_of(RIGHT)) == LockedOut(15.0)
    behind.advance(15)
    assert again.check(staff_code_of(RIGHT)) == Accepted()


def test_a_new_code_has_six_characters_or_more() -> None:
    assert new_staff_code("４７１１ab").reveal() == b"4711ab"
    with pytest.raises(StaffCodeShort):
        new_staff_code("4711a")


def test_a_wrong_code_takes_no_fee_and_stands_in_the_audit_without_itself(payment: StaffCode, audit: KeptAudit) -> None:
    counter = CounterTerminal(payment, audit)
    counter.begin("request-1", 300)
    counter.confirm(staff_code_of("secret-try"), "visit-1")
    assert counter.state() == Waiting("request-1", 300)
    facts = {"visit": "visit-1", "place": "payment", "wrong": 1, "seconds": 0.0}
    assert audit.lines == [("staff_code_refused", facts)]
