"""UUID version 7: form, order, uniqueness."""

from __future__ import annotations

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from device.uuid7 import Uuid7

times = st.lists(st.integers(-(2**40), 2**45), min_size=1, max_size=40)


@given(times)
def test_ids_only_go_up_whatever_the_clock_does(moments: list[int]) -> None:
    ids = Uuid7()
    made = [ids.make(ms) for ms in moments]
    assert made == sorted(set(made))


@given(st.integers(0, 2**48 - 1))
def test_the_form_is_that_of_rfc_9562(ms: int) -> None:
    made = Uuid7().make(ms)
    assert (made.version, made.variant, made.int >> 80) == (7, RFC_4122, ms)


def test_more_ids_than_a_millisecond_holds_run_on_into_the_next() -> None:
    ids = Uuid7(random_bits=lambda _bits: 0)
    made = [ids.make(1000) for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {m.version for m in made} == {7}


def test_after_a_restart_ids_go_on_above_the_last() -> None:
    last = Uuid7().make(2_000_000)
    assert Uuid7(last).make(1_000) > last
    assert Uuid7(UUID(int=last.int)).make(1_000).version == 7
