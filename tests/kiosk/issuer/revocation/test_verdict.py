"""What follows from the words of several sources: only a fresh "good" lets a card in."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.clock import JST
from kiosk.issuer.revocation.revocation import NotAsked
from kiosk.issuer.revocation.verdict import Status, Verdict, Word, follows

NOW = datetime(2026, 11, 30, 12, tzinfo=JST)
HOUR = timedelta(hours=1)
FRESH, OLD, OLDER = NOW + HOUR, NOW - HOUR, NOW - 100 * HOUR


@pytest.mark.parametrize(
    ("words", "grace", "verdict"),
    [
        ([], 0, Verdict.UNAVAILABLE),
        ([Word(Status.GOOD, FRESH)], 0, Verdict.GOOD),
        ([Word(Status.GOOD, OLD)], 0, Verdict.UNAVAILABLE),
        ([Word(Status.GOOD, OLD)], 2, Verdict.GRACE),
        ([Word(Status.GOOD, OLDER)], 2, Verdict.UNAVAILABLE),
        ([Word(Status.SILENT)], 100, Verdict.UNAVAILABLE),
        ([Word(Status.SILENT, FRESH)], 0, Verdict.UNAVAILABLE),
        ([Word(Status.SILENT, FRESH)], 2, Verdict.GRACE),
        ([Word(Status.SILENT), Word(Status.GOOD, FRESH)], 0, Verdict.GOOD),
        ([Word(Status.UNKNOWN, FRESH), Word(Status.GOOD, FRESH)], 100, Verdict.UNAVAILABLE),
        ([Word(Status.SILENT, FRESH), Word(Status.REVOKED, OLDER)], 100, Verdict.REVOKED),
    ],
)
def test_each_case(words: list[Word], grace: int, verdict: Verdict) -> None:
    assert follows(words, NOW, grace * HOUR) is verdict


moments = st.none() | st.integers(-200, 200).map(lambda hours: NOW + hours * HOUR)
some_words = st.lists(st.builds(Word, st.sampled_from(Status), moments), max_size=4)


@given(some_words, st.integers(0, 300))
def test_without_a_good_or_silent_word_nobody_is_served(words: list[Word], grace: int) -> None:
    served = follows(words, NOW, grace * HOUR) in (Verdict.GOOD, Verdict.GRACE)
    assert not served or any(word.status in (Status.GOOD, Status.SILENT) for word in words)


@given(some_words)
def test_without_a_grace_only_a_fresh_good_word_serves(words: list[Word]) -> None:
    verdict = follows(words, NOW, timedelta(0))
    assert verdict is not Verdict.GRACE
    assert verdict is not Verdict.GOOD or any(
        w.status is Status.GOOD and w.good_until is not None and w.good_until >= NOW for w in words
    )


def test_a_city_that_asks_nobody_serves() -> None:
    assert NotAsked().verdict("aa", 1) is Verdict.GOOD
