from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.portal.tokens import MAX_AGE_SECONDS, FormTokens, keyed_hash, read_key
from device.clock import HeldClock, SystemClock
from device.errors import StoreError

KEY = b"k" * 32


def held() -> HeldClock:
    return HeldClock(SystemClock().now())


def test_a_token_holds_for_its_phone_until_its_life_ends() -> None:
    clock = held()
    tokens = FormTokens(KEY, clock)
    token = tokens.issue("10.0.0.5")
    clock.advance(MAX_AGE_SECONDS)
    assert tokens.is_valid("10.0.0.5", token)
    clock.advance(1)
    assert not tokens.is_valid("10.0.0.5", token)


def test_a_token_is_of_no_use_to_another_phone_or_portal() -> None:
    clock = held()
    token = FormTokens(KEY, clock).issue("10.0.0.5")
    assert not FormTokens(KEY, clock).is_valid("10.0.0.6", token)
    assert not FormTokens(b"x" * 32, clock).is_valid("10.0.0.5", token)


def test_a_step_of_the_wall_clock_ends_no_token() -> None:
    clock = held()
    tokens = FormTokens(KEY, clock)
    token = tokens.issue("10.0.0.5")
    clock.step(86400 * 365)
    assert tokens.is_valid("10.0.0.5", token)


@given(st.text(max_size=200))
def test_no_invented_token_holds(token: str) -> None:
    assert not FormTokens(KEY, held()).is_valid("10.0.0.5", token)


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_different_parts_never_hash_alike(one: list[str], other: list[str]) -> None:
    assert (keyed_hash(KEY, "p", *one) == keyed_hash(KEY, "p", *other)) == (one == other)


def test_workers_that_start_together_read_one_key(tmp_path: Path) -> None:
    path = tmp_path / "portal" / "key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: read_key(path), range(16)))
    assert len(keys) == 1
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]


def test_a_cut_key_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(StoreError):
        read_key(tmp_path / "key")
