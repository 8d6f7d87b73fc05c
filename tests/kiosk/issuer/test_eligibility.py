"""The rules, one by one, and together whatever the case."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.issuer.eligibility import age, is_request_id, may_ask, may_have
from kiosk.issuer.kinds.residence_record.rules import RULES
from kiosk.issuer.protocol import RefusalReason
from kiosk.issuer.register.records import HouseholdNow
from kiosk.issuer.register.synthetic_people import population

DAY = date(2026, 11, 23)
ALL = population()
FAMILY = [r for r in ALL.residents if r.household == "H00001"]
HOUSE = HouseholdNow(household=ALL.households[0], members=FAMILY, restricted=frozenset())


def _may_have(house: HouseholdNow, persons: list[str]) -> RefusalReason | None:
    return may_have(house, "R00001", persons, DAY, RULES)


def _leaving(*places: int) -> HouseholdNow:
    members = [msgspec.structs.replace(m, moving_out=DAY) if m.place in places else m for m in FAMILY]
    return msgspec.structs.replace(HOUSE, members=members)


def test_fifteen_is_reached_on_the_birthday() -> None:
    assert age(date(2011, 11, 23), DAY) == 15
    assert age(date(2011, 11, 24), DAY) == 14
    assert (age(date(2008, 2, 29), date(2023, 2, 28)), age(date(2008, 2, 29), date(2023, 3, 1))) == (14, 15)


def test_householder_and_teenager_may_ask_and_the_child_may_not() -> None:
    answers = [may_ask(HOUSE, m.resident, DAY) for m in FAMILY]
    assert answers == [None, None, None, RefusalReason.UNDER_AGE]


def test_nobody_of_an_unknown_household_is_a_resident() -> None:
    assert may_ask(None, "R99999", DAY) is RefusalReason.NOT_RESIDENT


def test_one_who_is_moving_out_goes_to_the_counter() -> None:
    assert may_ask(_leaving(1), "R00001", DAY) is RefusalReason.COUNTER


def test_a_member_moving_out_blocks_the_whole_household_but_not_the_others_alone() -> None:
    house = _leaving(3)
    assert may_ask(house, "R00001", DAY) is None
    assert _may_have(house, [m.resident for m in FAMILY]) is RefusalReason.COUNTER
    assert _may_have(house, ["R00001", "R00002"]) is None


def test_a_household_without_its_householder_goes_to_the_counter() -> None:
    house = msgspec.structs.replace(HOUSE, members=FAMILY[1:])
    assert may_ask(house, "R00002", DAY) is RefusalReason.COUNTER


def test_a_person_of_another_household_is_never_on_the_paper() -> None:
    assert _may_have(HOUSE, ["R00001", "R00005"]) is RefusalReason.COUNTER


@given(
    restricted=st.sets(st.sampled_from([m.resident for m in FAMILY])),
    leaving=st.sets(st.integers(1, 4)),
    gone=st.sets(st.integers(1, 4)),
    asker=st.sampled_from([m.resident for m in FAMILY]),
)
def test_who_may_ask_is_present_old_enough_and_nobody_at_home_is_restricted(
    restricted: set[str], leaving: set[int], gone: set[int], asker: str
) -> None:
    members = [m for m in _leaving(*leaving).members if m.place not in gone]
    house = HouseholdNow(household=HOUSE.household, members=members, restricted=frozenset(restricted))
    answer = may_ask(house, asker, DAY)
    if answer is None:
        who = house.member(asker)
        assert who is not None
        assert who.moving_out is None
        assert age(who.born, DAY) >= 15
        assert not restricted
    if restricted:
        assert answer is RefusalReason.COUNTER


@pytest.mark.parametrize("text", ["", "short", "x" * 65, "../../etc/passwd", "辻󠄂の申請番号です", "a b c d e f g h"])
def test_only_plain_ids_name_a_request(text: str) -> None:
    assert not is_request_id(text)
    assert is_request_id("0190-abcd-EF12")
