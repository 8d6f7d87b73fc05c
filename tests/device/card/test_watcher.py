"""What a watcher tells, and that nothing silences it."""

from __future__ import annotations

import queue
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.card.presence import CardArrived, CardLeft, Presence, PresenceEvent, ReaderChanged
from device.card.virtual.card import CardImage, TriesInMemory, VirtualCard
from device.card.virtual.reader import VirtualReader
from device.card.watcher import Watcher, changes

EMPTY, PRESENT, NO_READER, NO_SERVICE = Presence.EMPTY, Presence.PRESENT, Presence.NO_READER, Presence.NO_SERVICE


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        (None, EMPTY, (ReaderChanged(EMPTY),)),
        (None, PRESENT, (ReaderChanged(EMPTY), CardArrived())),
        (EMPTY, EMPTY, ()),
        (EMPTY, PRESENT, (CardArrived(),)),
        (PRESENT, EMPTY, (CardLeft(),)),
        (PRESENT, NO_READER, (CardLeft(), ReaderChanged(NO_READER))),
        (NO_READER, NO_SERVICE, (ReaderChanged(NO_SERVICE),)),
        (NO_SERVICE, PRESENT, (ReaderChanged(EMPTY), CardArrived())),
    ],
)
def test_changes_are_told_in_order(before: Presence | None, after: Presence, events: tuple[PresenceEvent, ...]) -> None:
    assert changes(before, after) == events


@given(st.lists(st.sampled_from(Presence), min_size=1))
def test_arrivals_and_departures_take_turns_and_the_end_agrees(states: list[Presence]) -> None:
    looks: list[tuple[Presence | None, Presence]] = [(None, states[0]), *pairwise(states)]
    events = [event for before, after in looks for event in changes(before, after)]
    cards = [event for event in events if isinstance(event, CardArrived | CardLeft)]
    assert all(type(first) is not type(second) for first, second in pairwise(cards))
    assert not cards or isinstance(cards[0], CardArrived)
    assert (bool(cards) and isinstance(cards[-1], CardArrived)) == (states[-1] is PRESENT)


def _card() -> VirtualCard:
    return VirtualCard(CardImage({}), TriesInMemory())


def test_a_thread_tells_what_happens_until_it_is_stopped() -> None:
    heard: queue.Queue[PresenceEvent] = queue.Queue()
    reader = VirtualReader()
    watcher = Watcher(reader, 0.005, heard.put)
    health = [watcher.alive]
    watcher.start()
    assert heard.get(timeout=60) == ReaderChanged(EMPTY)
    reader.insert(_card())
    assert heard.get(timeout=60) == CardArrived()
    health.append(watcher.alive)
    reader.remove()
    assert heard.get(timeout=60) == CardLeft()
    watcher.stop()
    watcher.stop()
    assert [*health, watcher.alive] == [False, True, False]


def test_a_failing_listener_does_not_end_the_watching() -> None:
    heard: queue.Queue[PresenceEvent] = queue.Queue()
    reader = VirtualReader(_card())

    def listen(event: PresenceEvent) -> None:
        heard.put(event)
        raise RuntimeError("listener")

    watcher = Watcher(reader, 0.005, listen)
    watcher.start()
    assert [heard.get(timeout=60) for _ in range(2)] == [ReaderChanged(EMPTY), CardArrived()]
    reader.remove()
    assert heard.get(timeout=60) == CardLeft()
    assert watcher.alive
    watcher.stop()


def test_it_can_be_started_again_and_tells_all_anew() -> None:
    heard: queue.Queue[PresenceEvent] = queue.Queue()
    watcher = Watcher(VirtualReader(), 0.005, heard.put)
    for _ in range(2):
        watcher.start()
        watcher.start()
        assert heard.get(timeout=60) == ReaderChanged(EMPTY)
        watcher.stop()
    assert heard.empty()
