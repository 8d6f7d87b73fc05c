"""The outbox and its sender: nothing lost, nothing personal, urgent first, waits that grow."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.clock import JST, HeldClock
from device.logs import open_log
from device.outbox import MAX_IN_BATCH, OUTBOX_MIGRATIONS, Fact, Message, Outbox, check_facts, known_kinds
from device.sender import Backoff, LineDown, Sender
from device.store import Store

NOON = datetime(2026, 4, 1, 12, tzinfo=JST)


def open_outbox(folder: Path, clock: HeldClock | None = None, **more: int) -> Outbox:
    return Outbox(Store(folder / "outbox.db", OUTBOX_MIGRATIONS), clock or HeldClock(NOON), **more)


def test_a_message_outlives_the_process(tmp_path: Path) -> None:
    name = open_outbox(tmp_path).put("heartbeat", version="1.2.3", findings=["clock.unsynchronised"])
    (kept,) = open_outbox(tmp_path).batch()
    facts: dict[str, Fact] = {"version": "1.2.3", "findings": ["clock.unsynchronised"]}
    assert kept == Message(name, "heartbeat", int(NOON.timestamp()), 1, facts)


def test_only_what_was_acknowledged_is_forgotten(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path)
    first, second = outbox.put("heartbeat"), outbox.put("heartbeat")
    outbox.acknowledged([first, "no such id"])
    assert [m.id for m in outbox.batch()] == [second]


def test_a_notice_overtakes_heartbeats_and_a_batch_has_an_end(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path)
    for _ in range(MAX_IN_BATCH + 5):
        outbox.put("heartbeat")
    urgent = outbox.put("notice", code="kiosk.closed")
    batch = outbox.batch(1000)
    assert len(batch) == MAX_IN_BATCH
    assert batch[0].id == urgent
    assert [m.id for m in batch[1:]] == sorted(m.id for m in batch[1:])


@pytest.mark.parametrize(
    "value", ["山田太郎", "Yamada Taro", "aa:bb:cc:dd:ee:ff", "a@example.jp", "x" * 81, ["ok", "not ok"], {"a": 1}]
)
def test_what_could_be_a_persons_does_not_go_in(tmp_path: Path, value: Fact) -> None:
    with pytest.raises(ValueError, match="neither number nor code"):
        open_outbox(tmp_path).put("heartbeat", version=value)


def test_a_fact_or_kind_that_is_not_enumerated_does_not_go_in(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path)
    with pytest.raises(KeyError):
        outbox.put("heartbeat", address="osaka")
    with pytest.raises(KeyError):
        outbox.put("gossip")
    assert outbox.waiting() == 0


@given(st.text(max_size=90))
def test_a_text_passes_only_as_a_short_ascii_code(text: str) -> None:
    kind = known_kinds()["heartbeat"]
    plain = len(text) <= 80 and all(c.isascii() and (c.isalnum() or c in "_.+/-") for c in text)
    if plain:
        check_facts(kind, {"version": text})
    else:
        with pytest.raises(ValueError, match="neither"):
            check_facts(kind, {"version": text})


def test_when_it_grows_too_large_an_hours_heartbeats_become_one_that_counts_for_all(tmp_path: Path) -> None:
    clock = HeldClock(NOON)
    outbox = open_outbox(tmp_path, clock, collapse_bytes=64 * 1024)
    for _ in range(2000):
        outbox.put("heartbeat", version="1.2.3", audit_kiosk="a" * 64)
        clock.advance(60)
    assert outbox.size_bytes() < 128 * 1024
    assert outbox.waiting() < 500
    assert sum(m.count for m in drained(outbox)) == 2000


def test_a_heartbeat_that_city_hall_may_have_counted_is_not_collapsed(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path)
    offered = outbox.put("heartbeat")
    outbox.batch()
    outbox.put("heartbeat")
    newest = outbox.put("heartbeat")
    outbox.collapse()
    assert {m.id: m.count for m in outbox.batch()} == {offered: 1, newest: 2}


def drained(outbox: Outbox) -> list[Message]:
    found: list[Message] = []
    while batch := outbox.batch():
        found += batch
        outbox.acknowledged(m.id for m in batch)
    return found


class Line:
    """A line to city hall that can be cut."""

    def __init__(self) -> None:
        self.up = True
        self.heard: list[str] = []

    def post(self, batch: Sequence[Message]) -> list[str]:
        if not self.up:
            raise LineDown(reason="timeout")
        self.heard += [m.id for m in batch]
        return [m.id for m in batch]


def sender(outbox: Outbox, line: Line) -> Sender:
    return Sender(outbox, line.post, open_log("test"), chance=lambda: 1.0)


def test_a_flush_sends_batch_after_batch_until_none_is_left(tmp_path: Path) -> None:
    outbox, line = open_outbox(tmp_path), Line()
    put = [outbox.put("heartbeat") for _ in range(2 * MAX_IN_BATCH + 3)]
    assert sender(outbox, line).flush() == 0
    assert line.heard == put


def test_a_message_that_goes_at_once_is_kept_nowhere(tmp_path: Path) -> None:
    outbox, line = open_outbox(tmp_path), Line()
    message = outbox.make("heartbeat")
    assert sender(outbox, line).tell(message) == 0
    assert (line.heard, outbox.waiting()) == ([message.id], 0)


def test_a_message_that_can_not_go_is_kept_as_offered_and_goes_before_the_next(tmp_path: Path) -> None:
    outbox, line = open_outbox(tmp_path), Line()
    line.up, telling = False, sender(outbox, line)
    first, second = outbox.make("heartbeat"), outbox.make("heartbeat")
    assert [telling.tell(first), telling.tell(second)] == [1, 2]
    outbox.put("heartbeat")
    outbox.collapse()
    line.up = True
    assert telling.tell(outbox.make("heartbeat")) == 0
    assert line.heard[:2] == [first.id, second.id]
    assert len(line.heard) == 4


def test_waits_grow_while_the_line_is_down_and_end_when_it_is_back(tmp_path: Path) -> None:
    outbox, line = open_outbox(tmp_path), Line()
    outbox.put("heartbeat")
    line.up, telling = False, sender(outbox, line)
    waits = [telling.round() for _ in range(10)]
    assert waits == sorted(waits)
    assert waits[-1] == Backoff().max_seconds
    line.up = True
    assert telling.round() == telling.idle_seconds
    assert outbox.waiting() == 0


def test_an_answer_that_settles_nothing_counts_as_a_failure(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path)
    outbox.put("heartbeat")
    telling = Sender(outbox, lambda _batch: [], open_log("test"))
    telling.round()
    assert telling.failures == 1
    assert outbox.waiting() == 1


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_shorter_or_longer_than_planned(failures: int, chance: float) -> None:
    plan = Backoff(5.0, 900.0)
    assert 5.0 <= plan.wait(failures, chance) <= 900.0


def test_the_loop_ends_when_told(tmp_path: Path) -> None:
    outbox, line, stop = open_outbox(tmp_path), Line(), threading.Event()
    outbox.put("heartbeat")
    thread = threading.Thread(target=sender(outbox, line).run, args=(stop,))
    thread.start()
    while outbox.waiting():
        stop.wait(0.01)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert len(line.heard) == 1
