from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from captive_portal.portal.languages import read_catalogues
from captive_portal.portal.login.method import Accepted, Rejected, Visitor
from captive_portal.portal.login.voucher import (
    ALPHABET,
    KEPT_SECONDS,
    LENGTH,
    WRONG_PER_HOUR,
    Batch,
    Voucher,
    call_back,
    check_character,
    list_batches,
    make_batch,
    new_code,
    parse_code,
    show_code,
)
from captive_portal.portal.login.voucher_sheet import pages, receipts
from captive_portal.portal.records import open_records
from device.clock import HeldClock, SystemClock

if TYPE_CHECKING:
    from tests.conftest import KeptAudit

KEY = b"k" * 32
ANNA, BORIS = Visitor("phone-a", "ja"), Visitor("phone-b", "ja")
bodies = st.text(ALPHABET, min_size=LENGTH - 1, max_size=LENGTH - 1)


class Desk:
    """Staff with a fresh store, a clock and one batch."""

    def __init__(self, folder: Path, audit: KeptAudit, count: int = 1) -> None:
        self.clock, self.store = HeldClock(SystemClock().now()), open_records(folder)
        self.batch = make_batch(self.store, KEY, self.clock, audit, count=count, minutes=90, valid_days=30)
        self.voucher = Voucher(self.store, KEY, self.clock)


@pytest.fixture
def desk(tmp_path: Path, audit: KeptAudit) -> Desk:
    return Desk(tmp_path, audit)


@given(bodies, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_found(body: str, place: int, wrong: str) -> None:
    code = body + check_character(body)
    assume(code[place] != wrong)
    assert parse_code(code[:place] + wrong + code[place + 1 :]) is None


@given(bodies, st.integers(0, LENGTH - 2))
def test_two_exchanged_neighbours_are_always_found(body: str, place: int) -> None:
    code = body + check_character(body)
    assume(code[place] != code[place + 1])
    assert parse_code(code[:place] + code[place + 1] + code[place] + code[place + 2 :]) is None


@given(bodies)
def test_a_code_is_read_in_any_case_width_and_grouping(body: str) -> None:
    code = body + check_character(body)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code)
    assert parse_code(show_code(code).lower()) == parse_code(f" {wide} ") == parse_code(code) == code


@given(st.text(max_size=120))
def test_anything_may_be_typed(typed: str) -> None:
    assert parse_code(typed) is None or len(typed) >= LENGTH


def test_a_voucher_opens_once_for_one_phone(desk: Desk) -> None:
    form = {"voucher": show_code(desk.batch.codes[0])}
    accepted = desk.voucher.attempt(ANNA, form)
    assert isinstance(accepted, Accepted)
    assert accepted.minutes == 90
    assert desk.voucher.attempt(BORIS, form) == Rejected("error_voucher_used")
    desk.voucher.finish(accepted, True)
    assert desk.voucher.attempt(ANNA, form) == Rejected("error_voucher_used")


def test_a_refusal_by_the_gate_gives_the_voucher_back(desk: Desk) -> None:
    form = {"voucher": desk.batch.codes[0]}
    accepted = desk.voucher.attempt(ANNA, form)
    assert isinstance(accepted, Accepted)
    desk.voucher.finish(accepted, False)
    assert isinstance(desk.voucher.attempt(BORIS, form), Accepted)


def test_of_many_phones_at_once_one_gets_the_voucher(desk: Desk) -> None:
    form = {"voucher": desk.batch.codes[0]}
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: desk.voucher.attempt(Visitor(f"phone-{n}", "ja"), form), range(24)))
    assert sum(isinstance(o, Accepted) for o in outcomes) == 1


def test_an_old_voucher_is_refused(desk: Desk) -> None:
    desk.clock.advance(31 * 86400)
    assert desk.voucher.attempt(ANNA, {"voucher": desk.batch.codes[0]}) == Rejected("error_voucher_expired")


def test_a_phone_that_guesses_is_stopped_and_others_are_not(desk: Desk) -> None:
    for _ in range(WRONG_PER_HOUR):
        assert desk.voucher.attempt(ANNA, {"voucher": new_code()}) == Rejected("error_voucher")
    assert desk.voucher.attempt(ANNA, {"voucher": desk.batch.codes[0]}) == Rejected("error_too_many")
    assert isinstance(desk.voucher.attempt(BORIS, {"voucher": desk.batch.codes[0]}), Accepted)
    desk.clock.advance(3601)
    assert desk.voucher.attempt(ANNA, {"voucher": desk.batch.codes[0]}) == Rejected("error_voucher_used")


def test_the_database_holds_no_code(tmp_path: Path, audit: KeptAudit) -> None:
    desk = Desk(tmp_path, audit, count=50)
    desk.store.close()
    stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert [c for c in desk.batch.codes if c.encode() in stored or show_code(c).encode() in stored] == []
    assert audit.lines == [("vouchers_made", {"batch": desk.batch.batch, "count": 50})]
    assert desk.batch.codes[0] not in repr(desk.batch)


def test_a_lost_sheet_is_called_back_and_used_vouchers_stay_used(tmp_path: Path, audit: KeptAudit) -> None:
    desk = Desk(tmp_path, audit, count=3)
    used, lost, _ = ({"voucher": code} for code in desk.batch.codes)
    accepted = desk.voucher.attempt(ANNA, used)
    assert isinstance(accepted, Accepted)
    desk.voucher.finish(accepted, True)
    (state,) = list_batches(desk.store)
    assert (state.batch, state.minutes, state.made, state.used) == (desk.batch.batch, 90, 3, 1)
    assert call_back(desk.store, audit, desk.batch.batch) == 2
    assert desk.voucher.attempt(BORIS, lost) == Rejected("error_voucher")
    assert desk.voucher.attempt(BORIS, used) == Rejected("error_voucher_used")
    assert audit.lines[-1] == ("vouchers_called_back", {"batch": desk.batch.batch, "count": 2})
    assert call_back(desk.store, audit, "no such batch") == 0


def test_vouchers_long_expired_are_forgotten_when_new_ones_are_made(desk: Desk, audit: KeptAudit) -> None:
    desk.clock.advance(30 * 86400 + KEPT_SECONDS + 1)
    new = make_batch(desk.store, KEY, desk.clock, audit, count=1, minutes=0, valid_days=1)
    assert [state.batch for state in list_batches(desk.store)] == [new.batch]


@pytest.mark.parametrize("count", [0, -1, 5001])
def test_a_batch_has_a_sane_size(desk: Desk, audit: KeptAudit, count: int) -> None:
    with pytest.raises(ValueError, match="count"):
        make_batch(desk.store, KEY, desk.clock, audit, count=count, minutes=0, valid_days=1)


@pytest.mark.parametrize("language", ["ja", "en", "ne"])
def test_every_voucher_stands_once_on_the_sheet_and_once_on_a_slip(
    tmp_path: Path, audit: KeptAudit, language: str
) -> None:
    batch: Batch = Desk(tmp_path, audit, count=25).batch
    words = read_catalogues()[language]
    html, slips = pages(batch, words, "ひろば <Wi-Fi>", "City <5>"), receipts(batch, words, "ひろば", "City")
    assert [html.count(show_code(code)) for code in batch.codes] == [1] * 25
    assert html.count("<section>") == 2
    assert "<Wi-Fi>" not in html
    assert html.count("Wi-Fi: <b>City &lt;5&gt;</b>") == 25
    assert [str(slip).count(show_code(code)) for slip, code in zip(slips, batch.codes, strict=True)] == [1] * 25
