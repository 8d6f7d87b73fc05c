"""Whoever is online is found by every way, and nobody else."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.policy.blocked_phones import BlockedPhones
from captive_portal.gate.policy.session import Session
from captive_portal.gate.policy.session_index import SessionIndex
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
    index, model = SessionIndex(), dict[int, Session]()
    for step, number, ends in steps:
        if step == "add" and number not in model:
            model[number] = a_session(number, ends)
            index.add(model[number])
        elif step == "remove" and number in model:
            index.remove(model.pop(number))
        elif step == "extend" and number in model:
            model[number].ends = ends
            index.end_changed(model[number])
    assert {s.id for s in index.sessions.values()} == {s.id for s in model.values()}
    assert all((index.by_mac(mac(n)) is model.get(n)) for n in range(1, 7))
    for account in ("", "account 0", "account 1"):
        wanted = {s.id for s in model.values() if account and s.account == account}
        assert {s.id for s in index.by_account(account)} == wanted
    first = index.next_to_end()
    assert (first.ends if first else None) == next(iter(heapq.nsmallest(1, (s.ends for s in model.values()))), None)
    assert index.new_mark() not in {s.mark for s in model.values()}


def test_a_phone_is_unblocked_by_number_by_mac_or_with_all_others() -> None:
    blocked = BlockedPhones()
    for n in range(1, 5):
        blocked.add(mac(n), "hall", MORNING)
    blocked.add(mac(1), "elsewhere", MORNING)
    first = blocked.details()[0]
    assert (first.mac, first.spot) == (mac(1), "hall")
    assert (blocked.remove(number=first.block), blocked.remove(mac=mac(2)), blocked.remove(mac=mac(2))) == (1, 1, 0)
    assert list(blocked) == [mac(3), mac(4)]
    assert (blocked.remove(), list(blocked)) == (2, [])
