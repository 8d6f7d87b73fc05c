"""Whoever is online is found by every way, and nobody else."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.policy.blocked_phones import Blocks
from captive_portal.gate.policy.session import Session
from captive_portal.gate.policy.session_index import Roster
from tests.captive_portal.gate.sites import MORNING, mac

STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "extend"]), st.integers(1, 6), st.floats(1, 1e6)), max_size=30
)


def a_session(number: int, ends: float) -> Session:
    account = "" if number % 3 == 0 else f"account {number % 2}"
    key = f"s{number}"
    return Session(key, "hall", mac(number), "", 300 + number, "voucher", "", "", account, "h", MORNING, 0.0, ends)


@given(STEPS)
def test_every_way_leads_to_the_same_sessions(steps: Sequence[tuple[str, int, float]]) -> None:
    roster, model = Roster(), dict[int, Session]()
    for step, number, ends in steps:
        if step == "add" and number not in model:
            model[number] = a_session(number, ends)
            roster.add(model[number])
        elif step == "remove" and number in model:
            roster.remove(model.pop(number))
        elif step == "extend" and number in model:
            model[number].ends = ends
            roster.ends_at(model[number])
    assert {s.id for s in roster.sessions.values()} == {s.id for s in model.values()}
    assert all((roster.of(mac(n)) is model.get(n)) for n in range(1, 7))
    for account in ("", "account 0", "account 1"):
        wanted = {s.id for s in model.values() if account and s.account == account}
        assert {s.id for s in roster.of_account(account)} == wanted
    first = roster.first()
    assert (first.ends if first else None) == next(iter(heapq.nsmallest(1, (s.ends for s in model.values()))), None)
    assert roster.new_mark() not in {s.mark for s in model.values()}


def test_a_bar_is_lifted_by_number_by_mac_or_with_all_others() -> None:
    blocks = Blocks()
    for n in range(1, 5):
        blocks.add(mac(n), "hall", MORNING)
    blocks.add(mac(1), "elsewhere", MORNING)
    first = blocks.shown()[0]
    assert (first.mac, first.spot) == (mac(1), "hall")
    assert (blocks.lift(number=first.block), blocks.lift(mac=mac(2)), blocks.lift(mac=mac(2))) == (1, 1, 0)
    assert list(blocks) == [mac(3), mac(4)]
    assert (blocks.lift(), list(blocks)) == (2, [])
