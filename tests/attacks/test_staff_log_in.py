"""Whoever wants into city hall: many guesses at once, one name from many addresses, many names from one address,
and locking a member of staff out from elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.cityhall.accounts.limits import MAX_TRIES, SLOW_SECONDS, WINDOW_SECONDS, Counted
from provisioning.cityhall.accounts.log_ins import Complete, Refusal
from provisioning.cityhall.accounts.roles import Role
from tests.provisioning.cityhall.conftest import Hall, open_hall

pytestmark = pytest.mark.attacks
PASSWORD, DESK = "correct horse battery", "192.0.2.1"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    opened = open_hall(tmp_path)
    opened.service.staff.set_password("hanako", PASSWORD)
    yield opened
    opened.service.database.close()


def guess(hall: Hall, address: str, name: str = "hanako", password: str = "wrong") -> object:  # noqa: S107
    answer = hall.service.pages.log_ins.begin(name, password, address)
    return type(answer) if isinstance(answer, Complete) else answer


def test_guesses_sent_at_the_same_moment_count_as_well(hall: Hall) -> None:
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(guess(hall, "203.0.113.1"))) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(Refusal.WRONG) == MAX_TRIES[Counted.PAIR]
    assert answers.count(Refusal.TOO_MANY) == 24 - MAX_TRIES[Counted.PAIR]


def test_nobody_elsewhere_locks_a_member_of_staff_out(hall: Hall) -> None:
    assert guess(hall, DESK, password=PASSWORD) is Complete
    for number in range(60):
        guess(hall, f"203.0.113.{number}")
    assert guess(hall, DESK, password=PASSWORD) is Complete


def test_many_addresses_that_guess_one_name_are_slowed_and_it_is_told_once(hall: Hall) -> None:
    looked_at = sum(guess(hall, f"203.0.113.{number}") is Refusal.WRONG for number in range(200))
    assert looked_at == MAX_TRIES[Counted.NAME]
    hour, more = 3600, 0
    for second in range(0, hour, 60):
        hall.clock.advance(60)
        more += guess(hall, f"198.51.100.{second // 60}") is Refusal.WRONG
    assert more <= hour // SLOW_SECONDS + hour // WINDOW_SECONDS * MAX_TRIES[Counted.NAME]
    told = [one for one in hall.service.records.staff_actions() if one.action == "log_in_slowed"]
    assert 1 <= len(told) <= hour // WINDOW_SECONDS + 1


def test_one_address_that_guesses_many_names_is_slowed_and_its_neighbours_are_not(hall: Hall) -> None:
    assert guess(hall, DESK, password=PASSWORD) is Complete
    looked_at = sum(guess(hall, DESK, f"name-{number}") is Refusal.WRONG for number in range(200))
    assert looked_at == MAX_TRIES[Counted.ADDRESS] - 1  # hanako's own try counted there, too
    assert guess(hall, DESK, password=PASSWORD) is Complete


def test_a_network_of_ipv6_is_one_address(hall: Hall) -> None:
    answers = [guess(hall, f"2001:db8::{number:x}") for number in range(1, 21)]
    assert answers.count(Refusal.WRONG) == MAX_TRIES[Counted.PAIR]


def test_who_may_look_gets_no_further_by_asking_alone(hall: Hall) -> None:
    hall.service.staff.set_password("saburo", PASSWORD, Role.VIEW)
    requests = hall.service.pages.requests
    requests.role("saburo", Role.ADMINISTER, "TEST", "saburo")
    (asked,) = requests.pending()
    assert requests.decide(asked.number, "saburo", approve=True) != "account_done"
    assert {one.name: one.role for one in hall.service.staff.accounts()}["saburo"] is Role.VIEW
