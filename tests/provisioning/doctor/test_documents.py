"""Certificates given out and then voided, counted from the kiosk's journal and the issuer's ledger."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from device.clock import JST, HeldClock
from device.store import Store
from kiosk.issuer.given_documents import GivenDocuments
from kiosk.issuer.wiring import LEDGER_MIGRATIONS
from kiosk.schema import KIOSK_MIGRATIONS
from provisioning.doctor.checks.documents import MIN_VOIDED, Documents, judge, of_journal, of_ledger

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=JST)


def ledger(
    file: Path, outcomes: Sequence[str | None], *, kiosk: str = "plaza-1", age: timedelta = timedelta(0)
) -> None:
    """Documents given to ``kiosk``, and what it told of each."""
    with closing(Store(file, LEDGER_MIGRATIONS)) as store:
        given = GivenDocuments(store, HeldClock(NOW - age))
        for number, outcome in enumerate(outcomes):
            name = f"{kiosk}-{number}"
            row = (name, "", kiosk, number, name, b"", outcome)
            with store.transaction() as connection:
                connection.execute("INSERT INTO request VALUES (?,?,?,?,?,?,?)", row)
            assert given.give(name, kiosk, "sha")


def codes(counted: list[Documents]) -> list[str]:
    return [finding.code for finding in judge(counted)]


def test_a_kiosk_that_voids_most_of_what_it_fetches_is_an_alarm_by_the_issuer_s_ledger(tmp_path: Path) -> None:
    ledger(tmp_path / "ledger.db", ["voided"] * MIN_VOIDED + ["delivered"] * 3)
    ledger(tmp_path / "ledger.db", ["voided"] * 3 + ["delivered"] * 40, kiosk="plaza-2")
    counted = of_ledger(tmp_path / "ledger.db", NOW)
    assert [(one.kiosk, one.given, one.voided) for one in counted] == [("plaza-1", 13, 10), ("plaza-2", 43, 3)]
    assert codes(counted) == ["documents.voided"]
    assert judge(counted)[0].facts == {"kiosk": "plaza-1", "given": 13, "count": 10}


def test_one_whose_end_nobody_told_for_a_day_is_a_warning(tmp_path: Path) -> None:
    ledger(tmp_path / "ledger.db", [None], age=timedelta(hours=30))
    ledger(tmp_path / "ledger.db", [None], kiosk="plaza-2", age=timedelta(hours=2))
    counted = of_ledger(tmp_path / "ledger.db", NOW)
    assert [(one.kiosk, one.untold) for one in counted] == [("plaza-1", 1), ("plaza-2", 0)]
    assert codes(counted) == ["documents.untold"]


@pytest.mark.parametrize(("voided", "delivered", "alarm"), [(9, 0, False), (10, 10, False), (11, 10, True)])
def test_a_few_visitors_who_walk_away_are_none(voided: int, delivered: int, *, alarm: bool) -> None:
    assert Documents("plaza-1", voided + delivered, voided, 0).alarming is alarm


def test_the_kiosk_counts_its_own(tmp_path: Path) -> None:
    file = tmp_path / "kiosk" / "kiosk.db"
    with closing(Store(file, KIOSK_MIGRATIONS)) as store, store.transaction() as connection:
        for number in range(MIN_VOIDED + 2):
            connection.execute(
                "INSERT INTO request (request, visit, kind, copies, state, sha256, asked_at, moved_at)"
                " VALUES (?, 'v', 'k', 1, 'voided', ?, ?, ?)",
                (f"{number}", "sha" if number else "", NOW.isoformat(), NOW.isoformat()),
            )
    counted = of_journal(tmp_path, "plaza-1", NOW)
    assert counted == Documents("plaza-1", MIN_VOIDED + 1, MIN_VOIDED + 1, 0)
    assert codes([counted]) == ["documents.voided"]


def test_a_ledger_of_an_earlier_release_and_no_ledger_count_nothing(tmp_path: Path) -> None:
    Store(tmp_path / "old.db", LEDGER_MIGRATIONS[:5]).close()
    assert of_ledger(tmp_path / "old.db", NOW) == of_ledger(tmp_path / "none.db", NOW) == of_ledger(None, NOW) == []
    assert codes([]) == ["documents.none"]
