"""The audit holds enumerated events only, and no line can be changed unseen."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from device.audit import AUDIT_MIGRATIONS, Audit, known_events
from device.clock import JST, HeldClock
from device.errors import AuditBroken
from device.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "audit.db", AUDIT_MIGRATIONS)


@pytest.fixture
def kept(store: Store) -> Audit:
    audit = Audit(store, HeldClock(datetime(2026, 11, 23, 9, tzinfo=JST)))
    for reason in ("idle", "done", "card_left"):
        audit.record("visit_ended", visit="v", reason=reason)
    return audit


def test_a_whole_chain_verifies_and_a_longer_one_ends_in_another_hash(kept: Audit) -> None:
    before = kept.verify()
    kept.record("kiosk_reopened")
    assert kept.verify() != before
    assert [line.facts.get("reason") for line in kept.lines()] == ["idle", "done", "card_left", None]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET facts = '{}' WHERE sequence = 2",
        "UPDATE audit SET at = '2020' WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 2",
        "UPDATE audit SET event = 'kiosk_reopened' WHERE sequence = 2",
    ],
)
def test_a_changed_or_dropped_line_breaks_the_chain(kept: Audit, store: Store, sql: str) -> None:
    with store.transaction() as connection:
        connection.execute(sql)
    with pytest.raises(AuditBroken) as caught:
        kept.verify()
    assert caught.value.facts["sequence"] == 2


def test_an_event_that_is_not_enumerated_is_refused(kept: Audit) -> None:
    with pytest.raises(KeyError):
        kept.record("someone_was_here")


def test_a_fact_that_is_not_enumerated_is_refused(kept: Audit) -> None:
    with pytest.raises(KeyError, match="name"):
        kept.record("visit_ended", visit="v", reason="done", name="TEST")


def test_every_event_is_explained_in_a_sentence() -> None:
    assert all(str(event["meaning"]).endswith(".") for event in known_events().values())
