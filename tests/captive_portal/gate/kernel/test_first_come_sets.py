"""What another program's flush of one set leaves behind is found, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.kernel.first_come_sets import Oddities, find_oddities

A, B = "10.90.0.11", "10.90.0.12"
ONE, TWO = "02:00:00:00:00:01", "02:00:00:00:00:02"
NONE: frozenset[str] = frozenset()
PAIRS = st.dictionaries(st.ip_addresses(v=4).map(str), st.sampled_from([ONE, TWO]))


@given(PAIRS)
def test_sets_written_by_the_rules_fit(owners: dict[str, str]) -> None:
    assert not any(find_oddities(owners.items(), owners.keys(), owners))


def test_a_flush_leaves_addresses_of_nobody_or_held_by_nobody() -> None:
    assert find_oddities(frozenset(), {A}, {}) == Oddities(frozenset({A}), NONE, frozenset())
    assert find_oddities({(A, ONE)}, NONE, {A: ONE}) == Oddities(NONE, frozenset({A}), frozenset())


def test_of_two_that_got_the_address_the_static_neighbour_keeps_it() -> None:
    seen = {(A, ONE), (A, TWO), (B, TWO)}
    assert find_oddities(seen, {A, B}, {A: ONE}).rivals == {(A, TWO)}
    assert find_oddities(seen, {A, B}, {}).rivals == frozenset()


def test_an_address_whose_owner_has_changed_has_no_rival() -> None:
    assert not any(find_oddities({(A, TWO)}, {A}, {A: ONE}))
