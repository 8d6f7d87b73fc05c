"""Codes by mail and vouchers, asked for by a crowd: no mailbox is flooded, no honest visitor is locked out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.portal.languages import read_catalogues
from captive_portal.portal.login.email_code import (
    MAX_ADDRESS_DAY,
    PER_ADDRESS_HOUR,
    PER_BOX_HOUR,
    EmailCode,
    mailbox_of,
)
from captive_portal.portal.login.method import Accepted, CodeSent, Outcome, Rejected, Visitor
from captive_portal.portal.login.voucher import GUESSES_IN_ALL, WRONG_WHILE_GUESSED, Voucher, make_batch, new_code
from captive_portal.portal.mail import Mail
from captive_portal.portal.records import open_records
from device.clock import HeldClock, SystemClock
from tests.conftest import KeptAudit

pytestmark = pytest.mark.attacks
KEY = b"k" * 32


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def enqueue(self, mail: Mail, /) -> bool:
        self.mails.append(mail)
        return True


class Desk:
    """Both methods on one store, with a clock that is held."""

    def __init__(self, folder: Path, audit: KeptAudit) -> None:
        self.clock, self.store, self.post = HeldClock(SystemClock().now()), open_records(folder), Mailbox()
        self.email = EmailCode(self.store, KEY, self.clock, self.post, read_catalogues())
        self.voucher = Voucher(self.store, KEY, self.clock)
        self.codes = make_batch(self.store, KEY, self.clock, audit, count=3, minutes=60, valid_days=1).codes

    def ask(self, address: str, phone: str) -> Outcome:
        return self.email.attempt(Visitor(phone, "ja"), {"address": address})

    def type(self, code: str, phone: str) -> Outcome:
        return self.voucher.attempt(Visitor(phone, "ja"), {"voucher": code})


@pytest.fixture
def desk(tmp_path: Path, audit: KeptAudit) -> Desk:
    return Desk(tmp_path, audit)


def test_a_mailbox_gets_no_more_however_its_address_is_written_and_however_many_phones_ask(desk: Desk) -> None:
    for n in range(60):
        desk.ask(f"V.i.c.tim+{n}@{'googlemail' if n % 2 else 'GMAIL'}.com", phone=f"p{n}")
        desk.clock.advance(60)
    assert len(desk.post.mails) == MAX_ADDRESS_DAY


def test_one_phone_sends_a_mailbox_what_a_visitor_may_ask(desk: Desk) -> None:
    for n in range(20):
        desk.ask(f"victim+{n}@example.jp", phone="p")
    assert len(desk.post.mails) == PER_ADDRESS_HOUR


def test_who_owns_the_mailbox_still_gets_a_code_after_another_phone_used_it_up(desk: Desk) -> None:
    for n in range(20):
        desk.ask(f"owner+{n}@example.jp", phone="attacker")
    desk.clock.advance(601)
    assert isinstance(desk.ask("owner@example.jp", phone="owner"), CodeSent)


def test_a_flood_to_one_domain_or_from_one_box_leaves_a_new_phone_its_first_mail(desk: Desk) -> None:
    for n in range(PER_BOX_HOUR + 50):
        desk.ask(f"v{n}@gmail.com", phone=f"p{n % 150}")
    assert isinstance(desk.ask("honest@gmail.com", phone="honest"), CodeSent)
    assert len(desk.post.mails) <= PER_BOX_HOUR + 1


def test_a_domain_s_catch_all_is_not_flooded_by_few_phones(desk: Desk) -> None:
    for n in range(400):
        desk.ask(f"v{n}@example.jp", phone=f"p{n % 40}")
    assert len(desk.post.mails) <= 120


@given(st.from_regex(r"[a-z][a-z.]{0,10}[a-z]", fullmatch=True), st.from_regex(r"[a-z0-9+.]{0,9}", fullmatch=True))
def test_one_mailbox_has_one_name(local: str, tag: str) -> None:
    assert mailbox_of(f"{local}+{tag}@example.jp") == mailbox_of(f"{local.upper()}@Example.JP")
    assert mailbox_of(f"{local}@gmail.com") == mailbox_of(f"{local.replace('.', '')}+{tag}@googlemail.com")
    assert (mailbox_of("a.b@example.jp") == mailbox_of("ab@example.jp")) is False


def test_guessing_by_many_phones_is_slowed_and_a_voucher_still_opens(desk: Desk) -> None:
    tried = 0
    for phone in range(400):
        for _ in range(10):
            tried += desk.type(new_code(), f"p{phone}") == Rejected("error_voucher")
    assert tried <= GUESSES_IN_ALL + 10 + 400 * WRONG_WHILE_GUESSED
    assert desk.type(new_code(), "honest") == Rejected("error_voucher")
    assert isinstance(desk.type(desk.codes[0], "honest"), Accepted)


def test_mistyped_codes_are_no_guesses(desk: Desk) -> None:
    for phone in range(100):
        for _ in range(9):
            desk.type("ABCD-EFGH-JKLM-N", f"p{phone}")
    for _ in range(9):
        assert desk.type(new_code(), "other") == Rejected("error_voucher")
