"""ResumeTokens cannot be made up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.policy.identity import ResumeTokens


@given(st.text(max_size=80))
def test_no_made_up_token_is_read(text: str) -> None:
    assert ResumeTokens(b"k" * 32).read(text) is None


def test_a_token_is_read_only_by_its_own_key() -> None:
    token = ResumeTokens(b"k" * 32).make("session", 3)
    assert ResumeTokens(b"k" * 32).read(token) == ("session", 3)
    assert ResumeTokens(b"j" * 32).read(token) is None
    assert ResumeTokens(b"k" * 32).read(token.replace(".3.", ".4.")) is None
