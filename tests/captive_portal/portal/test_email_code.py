from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.portal.languages import LANGUAGES, read_catalogues
from captive_portal.portal.login.email_code import (
    PER_ADDRESS_HOUR,
    PER_PHONE_HOUR,
    TRIES,
    EmailCode,
    parse_address,
    parse_code,
)
from captive_portal.portal.login.method import Accepted, CodeSent, Outcome, Rejected, Visitor
from captive_portal.portal.records import open_records
from device.clock import HeldClock, SystemClock

if TYPE_CHECKING:
    from captive_portal.portal.mail import Mail

ADDRESS = "visitor@example.jp"


class Kept:
    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def enqueue(self, mail: Mail, /) -> bool:
        self.mails.append(mail)
        return True


class Desk:
    """The method with a mail_queue that keeps, and what a visitor does."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.store, self.post = HeldClock(SystemClock().now()), open_records(folder), Kept()
        self.method = EmailCode(self.store, b"k" * 32, self.clock, self.post, read_catalogues())

    def ask(self, address: str = ADDRESS, phone: str = "a", language: str = "ja") -> Outcome:
        return self.method.attempt(Visitor(phone, language), {"address": address})

    def mailed(self) -> str:
        found = re.search(r"\b[0-9]{6}\b", self.post.mails[-1].text)
        assert found
        return found[0]

    def answer(self, asked: Outcome, code: str, phone: str = "a") -> Outcome:
        assert isinstance(asked, CodeSent)
        return self.method.attempt(Visitor(phone, "ja"), {"request": asked.request, "code": code})

    def wrong(self) -> str:
        return f"{(int(self.mailed()) + 1) % 10**6:06}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_mailed_code_lets_the_phone_in_once(desk: Desk) -> None:
    asked = desk.ask()
    accepted = desk.answer(asked, desk.mailed())
    assert isinstance(accepted, Accepted)
    assert accepted.account
    desk.method.finish(accepted, True)
    assert desk.answer(asked, desk.mailed()) == Rejected("error_code_over")


def test_a_gate_that_refused_leaves_the_code_good(desk: Desk) -> None:
    asked = desk.ask()
    accepted = desk.answer(asked, desk.mailed())
    assert isinstance(accepted, Accepted)
    desk.method.finish(accepted, False)
    assert isinstance(desk.answer(asked, desk.mailed()), Accepted)


def test_a_wrong_code_tells_the_tries_left_and_the_last_one_ends_it(desk: Desk) -> None:
    asked = desk.ask()
    for left in range(TRIES - 1, 0, -1):
        failed = desk.answer(asked, desk.wrong())
        assert isinstance(failed, Rejected)
        assert failed.values == {"tries": left}
    assert desk.answer(asked, desk.wrong()) == Rejected("error_code_over")
    assert desk.answer(asked, desk.mailed()) == Rejected("error_code_over")


def test_a_code_ends_after_ten_minutes(desk: Desk) -> None:
    asked = desk.ask()
    desk.clock.advance(601)
    assert desk.answer(asked, desk.mailed()) == Rejected("error_code_over")


def test_a_code_is_of_no_use_on_another_phone(desk: Desk) -> None:
    assert desk.answer(desk.ask(), desk.mailed(), phone="b") == Rejected("error_code_over")


def test_one_phone_can_not_flood_many_mailboxes(desk: Desk) -> None:
    outcomes = [desk.ask(f"v{n}@example.jp") for n in range(PER_PHONE_HOUR + 1)]
    assert outcomes[-1] == Rejected("error_too_many")
    assert len(desk.post.mails) == PER_PHONE_HOUR
    desk.clock.advance(3601)
    assert isinstance(desk.ask(), CodeSent)


def test_many_phones_can_not_flood_one_mailbox(desk: Desk) -> None:
    letters = [ADDRESS, ADDRESS.upper(), " ｖisitor@example.jp "]
    outcomes = [desk.ask(letters[n % 3], phone=f"p{n}") for n in range(PER_ADDRESS_HOUR + 1)]
    assert outcomes[-1] == Rejected("error_too_many")


def test_the_day_after_nobody_can_join_the_accounts(desk: Desk) -> None:
    first = desk.answer(desk.ask(), desk.mailed())
    desk.clock.advance(86400)
    second = desk.answer(desk.ask(), desk.mailed())
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert first.account != second.account


def test_neither_address_nor_code_is_stored(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    code = desk.mailed()
    desk.store.close()
    stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"visitor" not in stored
    assert re.search(rb"(?<![0-9a-f])" + code.encode() + rb"(?![0-9a-f])", stored) is None
    assert ADDRESS not in repr(desk.post.mails)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_is_in_the_pages_language_without_markup(desk: Desk, language: str) -> None:
    desk.ask(language=language)
    mail = desk.post.mails[-1]
    assert desk.mailed() in mail.text
    assert not set("<>{}|") & set(mail.subject + mail.text)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "a",
        "a@b",
        "a@@example.jp",
        "a b@example.jp",
        "a@example.jp\nBcc: x@example.jp",
        "a@-x.jp",
        "a@x..jp",
        "@x.jp",
    ],
)
def test_what_is_no_address_is_not_mailed_to(desk: Desk, typed: str) -> None:
    assert desk.ask(typed) == Rejected("error_address")
    assert desk.post.mails == []


@given(st.text(max_size=500))
def test_no_typed_text_smuggles_a_second_line_or_address(typed: str) -> None:
    address = parse_address(typed)
    assert address is None or (address.isascii() and address.isprintable() and not set(' ,;<>"') & set(address))


@given(st.from_regex(r"[a-z]{1,20}@[a-z]{1,20}\.example\.jp", fullmatch=True))
def test_a_plain_address_is_itself(address: str) -> None:
    assert parse_address(address) == address


@given(st.integers(0, 10**6 - 1))
def test_a_code_may_be_typed_wide_or_in_groups(number: int) -> None:
    code = f"{number:06}"
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code)
    assert parse_code(wide) == parse_code(f"{code[:3]} {code[3:]}") == code


@given(st.text(max_size=60))
def test_only_six_digits_are_a_code(typed: str) -> None:
    code = parse_code(typed)
    assert code is None or re.fullmatch("[0-9]{6}", code)
