"""One list: why it is not taken, what it says, and that noise breaks nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.card.credential import TrustStore
from device.card.virtual.pki import TestPki
from device.clock import JST
from kiosk.issuer.revocation.revocation_list import ListRefused, read_list
from tests.attacks.revocation_lists import make_list
from tests.attacks.test_revocation import FORGED

NOON = datetime(2026, 11, 30, 12, tzinfo=JST)
REASONS = {
    "by another key": "signature",
    "of an unknown authority": "authority",
    "of another generation": "signature",
    "changed": "signature",
    "cut off": "unreadable",
    "from the future": "future",
    "indirect": "partial",
    "of authorities alone": "partial",
    "of some reasons": "partial",
    "of one place": "partial",
    "a delta": "partial",
    "with a critical extension": "critical",
    "empty": "unreadable",
}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    made = TestPki(tmp_path_factory.mktemp("pki"))
    made.ensure(["demo", "unknown_ca"])
    return made


@pytest.fixture(scope="module")
def trust(pki: TestPki) -> TrustStore:
    return TrustStore.load(pki.trust)


@pytest.mark.parametrize("what", FORGED)
def test_each_forgery_is_told_by_what_it_is(pki: TestPki, trust: TrustStore, what: str) -> None:
    with pytest.raises(ListRefused) as told:
        read_list(FORGED[what](pki), trust, NOON)
    assert told.value.facts["reason"] == REASONS[what]


def test_a_list_says_who_is_on_it_and_how_long_it_holds(pki: TestPki, trust: TrustStore) -> None:
    found = read_list(make_list(pki, NOON, [7, 9], number=3), trust, NOON)
    assert (found.revoked, found.number) == (frozenset({7, 9}), 3)
    assert found.good_until(timedelta(hours=6)) == found.this_update + timedelta(hours=6)
    assert found.good_until(timedelta(hours=600)) == found.next_update
    assert "revoked" not in repr(found)


def test_a_list_out_of_date_is_read_so_that_who_is_on_it_stays_so(pki: TestPki, trust: TrustStore) -> None:
    assert read_list(make_list(pki, NOON, [7]), trust, NOON + timedelta(days=40)).revoked == {7}


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else(trust: TrustStore, content: bytes) -> None:
    with pytest.raises(ListRefused):
        read_list(content, trust, NOON)


@pytest.fixture(scope="module")
def signed(pki: TestPki) -> bytes:
    return make_list(pki, NOON, [7])


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_list_that_was_changed_anywhere_is_refused(
    trust: TrustStore, signed: bytes, place: int, flipped: int
) -> None:
    changed = bytearray(signed)
    changed[place % len(changed)] ^= flipped
    try:
        read = read_list(bytes(changed), trust, NOON)
    except ListRefused:
        return
    # How many bits of the signature's last byte are unused is itself not signed; DER allows more where they are 0.
    assert (read, signed.rfind(b"\x03\x82\x01\x01") + 4) == (read_list(signed, trust, NOON), place % len(changed))
