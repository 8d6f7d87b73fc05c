"""Of one address at most so many at once, in the order they came, and nobody is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provisioning.turns import Turns

STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=80)


@given(STEPS, st.integers(1, 4), st.integers(0, 5))
def test_each_goes_once_or_is_closed_and_no_address_has_more_than_its_share(
    steps: list[tuple[str, bool]], most: int, queue: int
) -> None:
    closed: list[tuple[str, int]] = []
    turns = Turns[tuple[str, int]](most, queue, closed.append)
    inside: list[tuple[str, int]] = []
    given_ones = []
    for number, (address, comes) in enumerate(steps):
        if comes:
            given_ones.append((address, number))
            inside += [(address, number)] if turns.take(address, (address, number)) else []
        elif leaving := [one for one in inside if one[0] == address]:
            inside.remove(leaving[0])
            inside += [following] if (following := turns.after(address)) else []
            closed.append(leaving[0])
        assert all(sum(one[0] == name for one in inside) <= most for name in "abc")
    while inside:
        closed.append(inside.pop())
        inside += [following] if (following := turns.after(closed[-1][0])) else []
    assert sorted(closed) == sorted(given_ones)
    assert vars(turns)["_addresses"] == {}


def test_they_go_in_the_order_they_came_and_one_too_many_is_closed() -> None:
    closed: list[str] = []
    turns = Turns[str](1, 2, closed.append)
    assert [turns.take("phone", name) for name in ("first", "second", "third", "fourth")] == [True, False, False, False]
    assert closed == ["fourth"]
    assert turns.take("another", "other")
    assert [turns.after("phone") for _ in range(3)] == ["second", "third", None]
