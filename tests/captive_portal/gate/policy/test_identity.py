"""ResumeTokens cannot be made up, and leases are read as dnsmasq writes them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.kernel.neighbours import LeaseFile, leased
from captive_portal.gate.policy.identity import ResumeTokens

LINE = "1790000000 02:00:00:00:00:05 10.90.1.5 * 01:02:00:00:00:00:05\n"


@given(st.text(max_size=80))
def test_no_made_up_token_is_read(text: str) -> None:
    assert ResumeTokens(b"k" * 32).read(text) is None


def test_a_token_is_read_only_by_its_own_key() -> None:
    token = ResumeTokens(b"k" * 32).make("session", 3)
    assert ResumeTokens(b"k" * 32).read(token) == ("session", 3)
    assert ResumeTokens(b"j" * 32).read(token) is None
    assert ResumeTokens(b"k" * 32).read(token.replace(".3.", ".4.")) is None


def test_a_lease_counts_for_its_own_phone_and_as_long_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "leases"
    leases = LeaseFile(file)
    assert not leases.has("10.90.1.5", "02:00:00:00:00:05")
    file.write_text(LINE)
    assert leases.has("10.90.1.5", "02:00:00:00:00:05")
    assert not leases.has("10.90.1.5", "02:00:00:00:00:06")
    file.write_text("")
    assert not leases.has("10.90.1.5", "02:00:00:00:00:05")


@given(st.binary())
def test_no_junk_in_a_lease_file_is_a_lease(junk: bytes) -> None:
    assert not leased(junk, "10.90.1.5", "02:00:00:00:00:05")
    assert leased(junk + b"\n" + LINE.encode(), "10.90.1.5", "02:00:00:00:00:05")


def test_a_phone_that_calls_itself_a_lease_has_none() -> None:
    claim = LINE.replace("*", "x 02:00:00:00:00:06 10.90.1.6 y").encode()
    assert not leased(claim, "10.90.1.6", "02:00:00:00:00:06")
    assert leased(claim, "10.90.1.5", "02:00:00:00:00:05")
