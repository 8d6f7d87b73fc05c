"""The audit holds enumerated events only, and no line can be changed unseen."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audit import AUDIT_MIGRATIONS, Audit, known_events
from device.audit_chain import last_old
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


NOON = datetime(2026, 11, 23, 12, tzinfo=JST)


def pruned(store: Store, hours: int = 4) -> Audit:
    """An audit of seven lines, one each hour from nine, of which those before noon are deleted."""
    clock = HeldClock(datetime(2026, 11, 23, 9, tzinfo=JST))
    audit = Audit(store, clock)
    for _ in range(hours):
        audit.record("kiosk_reopened")
        clock.advance(3600)
    assert audit.prune(NOON) == 3
    return audit


def test_a_chain_whose_old_lines_were_deleted_still_verifies_and_says_so(store: Store) -> None:
    audit = pruned(store)
    head = audit.verify()
    assert [line.sequence for line in audit.lines()] == [4, 5]
    assert (audit.lines()[-1].event, audit.lines()[-1].hash) == ("audit_pruned", head)
    assert audit.prune(NOON) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM audit WHERE sequence = 4",
        "UPDATE audit SET hash = 'a' WHERE sequence = 4",
        "UPDATE audit SET facts = replace(facts, '\"until\": 3', '\"until\": 4') WHERE event = 'audit_pruned'",
        "DELETE FROM audit WHERE event = 'audit_pruned'",
    ],
)
def test_the_deletion_can_not_be_used_to_drop_more(store: Store, sql: str) -> None:
    audit = pruned(store)
    with store.transaction() as connection:
        connection.execute(sql)
    with pytest.raises(AuditBroken):
        audit.verify()


def test_a_clock_that_was_not_set_makes_no_line_old(store: Store) -> None:
    clock = HeldClock(datetime(1970, 1, 1, 9, tzinfo=JST))
    audit = Audit(store, clock)
    audit.record("kiosk_reopened")
    clock.step((NOON - clock.now()).total_seconds())
    audit.record("kiosk_reopened")
    assert audit.prune(NOON) == 0
    audit.record("kiosk_reopened")
    assert audit.prune(datetime(2027, 1, 1, tzinfo=JST)) == 3


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(0, 10))
def test_only_what_is_old_goes_and_nothing_behind_a_young_line(hours: list[int], cut: int) -> None:
    times = [(n, f"2026-01-01T{hour:02}") for n, hour in enumerate(hours, 1)]
    last = last_old(times, f"2026-01-01T{cut:02}")
    assert all(hour < cut for hour in hours[:last])
    assert last == len(hours) or hours[last] >= cut
