"""Staff's work on the register: time, old registers, what two cards of one person do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.audit import Audit
from device.clock import JST, HeldClock
from device.store import Store
from kiosk.issuer.register.act import Act
from kiosk.issuer.register.audited_register import AuditedRegister
from kiosk.issuer.register.errors import RegisterRefused
from kiosk.issuer.register.link_checks import LinkCandidate
from kiosk.issuer.register.register import REGISTER_MIGRATIONS
from kiosk.issuer.register.synthetic_people import population

NOON = datetime(2026, 11, 30, 12, tzinfo=JST)
HANAKO = Act(by="s-1001", account="uid-1001", proven=True, reason="受付 12")
JIRO = replace(HANAKO, by="s-1002")
CARD = LinkCandidate("aa", 0x0A11CE01, datetime(2030, 1, 1, tzinfo=UTC))
OTHER = CARD._replace(serial=0x0B0B0002)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(NOON)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "register.db", REGISTER_MIGRATIONS)
    yield made
    made.close()


@pytest.fixture
def staff(store: Store, clock: HeldClock) -> AuditedRegister:
    made = AuditedRegister(store, clock)
    made.import_population(HANAKO, population())
    return made


def code_of(told: pytest.ExceptionInfo[RegisterRefused]) -> str:
    return told.value.code


def test_a_request_runs_out_after_three_days(staff: AuditedRegister, clock: HeldClock) -> None:
    staff.restrict(HANAKO, "R00001")
    asked = staff.ask_lift(HANAKO, "R00001")
    clock.advance(72 * 3600)
    with pytest.raises(RegisterRefused) as told:
        staff.approve(JIRO, asked.request)
    assert code_of(told) == "register.request_expired"
    assert staff.requests(JIRO) == []


def test_a_request_holds_until_then(staff: AuditedRegister, clock: HeldClock) -> None:
    staff.restrict(HANAKO, "R00001")
    asked = staff.ask_lift(HANAKO, "R00001")
    clock.advance(72 * 3600 - 1)
    assert staff.approve(JIRO, asked.request).resident == "R00001"


def test_a_card_that_ended_in_between_is_not_moved(staff: AuditedRegister, clock: HeldClock) -> None:
    card = CARD._replace(not_after=NOON + timedelta(hours=1))
    staff.link(HANAKO, card, "R00001")
    asked = staff.ask_move(HANAKO, card, "R00002")
    clock.advance(3600)
    with pytest.raises(RegisterRefused) as told:
        staff.approve(JIRO, asked.request)
    assert code_of(told) == "register.request_overtaken"


def test_who_asked_may_take_it_back(staff: AuditedRegister) -> None:
    staff.restrict(HANAKO, "R00001")
    asked = staff.ask_lift(HANAKO, "R00001")
    staff.reject(HANAKO, asked.request)
    with pytest.raises(RegisterRefused) as told:
        staff.approve(JIRO, asked.request)
    assert code_of(told) == "register.request_rejected"


def test_the_same_request_twice_is_one(staff: AuditedRegister) -> None:
    staff.restrict(HANAKO, "R00001")
    assert staff.ask_lift(HANAKO, "R00001") == staff.ask_lift(HANAKO, "R00001")


def test_the_card_of_who_gets_a_moved_one_ends(staff: AuditedRegister) -> None:
    staff.link(HANAKO, CARD, "R00001")
    staff.link(HANAKO, OTHER, "R00002")
    staff.approve(JIRO, staff.ask_move(HANAKO, CARD, "R00002").request)
    assert staff.register.linked("R00001") == []
    assert staff.register.linked("R00002") == [(CARD.issuer_key, CARD.serial, "R00002")]


def test_staff_see_former_and_present_cards(staff: AuditedRegister) -> None:
    staff.link(HANAKO, CARD, "R00001")
    staff.link(HANAKO, OTHER, "R00001")
    former, present = staff.credentials(HANAKO, "R00001")
    assert (former.ended_at is None, present.ended_at) == (False, None)
    assert former.credential == staff.keys.credential(CARD.issuer_key, CARD.serial)


def test_an_unlinked_card_may_come_back_to_its_holder(staff: AuditedRegister) -> None:
    staff.link(HANAKO, CARD, "R00001")
    staff.unlink(HANAKO, staff.keys.credential(CARD.issuer_key, CARD.serial))
    assert staff.link(HANAKO, CARD, "R00001").new


def test_a_change_and_its_line_are_on_the_disk_together_or_not_at_all(staff: AuditedRegister, store: Store) -> None:
    store.rows("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(sqlite3.IntegrityError):
        staff.link(HANAKO, CARD, "R00001")
    assert staff.register.linked() == []


def test_opaque_keys_are_the_same_for_a_register_and_others_for_another(tmp_path: Path, clock: HeldClock) -> None:
    keys = []
    for name in ("one", "one", "two"):
        store = Store(tmp_path / f"{name}.db", REGISTER_MIGRATIONS)
        keys.append(AuditedRegister(store, clock).keys.resident("R00001"))
        store.close()
    assert keys[0] == keys[1] != keys[2]


def test_a_register_of_release_0_1_is_taken_over_with_its_links(tmp_path: Path, clock: HeldClock) -> None:
    path = tmp_path / "old.db"
    old = Store(path, REGISTER_MIGRATIONS[:1])
    with old.transaction() as connection:
        connection.execute("INSERT INTO link VALUES ('aa', 'a11ce01', 'R00001')")
    old.close()
    staff = AuditedRegister(Store(path, REGISTER_MIGRATIONS), clock)
    staff.import_population(HANAKO, population(size=4))
    (kept,) = staff.credentials(HANAKO, "R00001")
    with pytest.raises(RegisterRefused):
        staff.link(HANAKO, CARD, "R00002")
    assert staff.unlink(HANAKO, kept.credential) == "R00001"
    with pytest.raises(RegisterRefused):
        staff.link(HANAKO, CARD, "R00002")


def test_release_0_1_goes_on_with_a_register_that_was_used_since(staff: AuditedRegister, store: Store) -> None:
    staff.link(HANAKO, CARD, "R00001")
    older = Store(store.path, REGISTER_MIGRATIONS[:1])
    assert [row["resident"] for row in older.rows("SELECT resident FROM link")] == ["R00001"]
    older.close()


def test_the_history_of_a_resident_is_theirs_alone(staff: AuditedRegister, store: Store, clock: HeldClock) -> None:
    staff.restrict(HANAKO, "R00001")
    staff.restrict(HANAKO, "R00002")
    lines = staff.history(JIRO, "R00002")
    assert [line.event for line in lines] == ["register_restricted", "register_looked"]
    assert Audit(store, clock).lines()[-1].facts["what"] == "history"
