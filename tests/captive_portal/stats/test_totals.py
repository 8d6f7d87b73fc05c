"""UsageTotals are right, whole and the same however the events arrive."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.gate.protocol import UsageEvent
from captive_portal.stats.database import open_stats_database, write
from captive_portal.stats.event_state import EventState, add_events
from captive_portal.stats.report import day_report, week_report
from captive_portal.stats.totals import HourTotals, UsageTotals, split, totals_of
from device.clock import JST
from tests.captive_portal.stats.events import START, event, online_at, recount, stories


def _folded(events: Sequence[UsageEvent]) -> UsageTotals:
    return add_events(EventState(), events)[1]


def test_a_session_over_an_hour_border_is_split_by_its_minutes() -> None:
    at = datetime(2026, 11, 23, 10, 15, tzinfo=JST)
    assert split(event(1, "ended", at, seconds=45 * 60, bytes_up=900, bytes_down=90)) == [
        ("2026-11-23T09", 1800, 600, 60),
        ("2026-11-23T10", 900, 300, 30),
    ]


def test_a_session_that_ends_on_the_hour_leaves_nothing_in_the_next() -> None:
    at = datetime(2026, 11, 24, 0, 0, tzinfo=JST)
    assert split(event(1, "ended", at, seconds=60, bytes_down=7)) == [("2026-11-23T23", 60, 0, 7)]


def test_bytes_without_time_count_for_the_hour_they_were_told_in() -> None:
    assert split(event(1, "used", START, bytes_up=5)) == [("2026-11-23T09", 0, 5, 0)]


def test_a_time_told_in_another_zone_counts_for_the_hour_in_japan() -> None:
    at = datetime.fromisoformat("2026-11-22T23:30:00+00:00")
    assert totals_of([event(1, "opened", at)]).hours["hall", "2026-11-23T08"].sessions == 1


def test_a_value_outside_the_closed_lists_is_counted_as_other() -> None:
    parts = totals_of([event(1, "opened", language="aa-bb-cc-dd-ee-ff", device="02:00:5e:00:00:01")]).parts
    assert parts["hall", "2026-11-23T09", "language", "other"] == 1
    assert not [key for key in parts if "5e" in str(key) or "aa-bb" in str(key)]


def test_one_phone_on_two_spots_is_one_visitor_of_the_box() -> None:
    visitors = totals_of([event(1, "opened"), event(2, "opened", spot="park", session="s2")]).visitors
    assert sum(v[:4] == ("2026-11-23", "*", "", "") for v in visitors) == 1
    assert sum(v[2:4] == ("", "") for v in visitors) == 3


def test_a_phone_that_stays_is_in_the_peak_of_every_hour() -> None:
    hours = _folded([event(1, "opened"), event(2, "ended", START + timedelta(hours=3), seconds=3 * 3600)]).hours
    assert [hours["hall", f"2026-11-23T{h:02}"].peak for h in (9, 10, 11, 12)] == [1, 1, 1, 1]


@given(stories())
def test_sums_equal_a_naive_recount(events: list[UsageEvent]) -> None:
    totals = _folded(events)
    for spot in ("hall", "park", "*"):
        total = HourTotals()
        for (name, _), hour in totals.hours.items():
            if name == spot:
                total.add(hour)
        wanted = recount(events, spot)
        assert {n: getattr(total, n) for n in wanted} == wanted


@given(stories())
def test_peaks_equal_a_naive_recount(events: list[UsageEvent]) -> None:
    hours = _folded(events).hours
    for spot in ("hall", "park", "*"):
        assert {h: s.peak for (name, h), s in hours.items() if name == spot and s.peak} == online_at(events, spot)


@given(stories(), st.data())
def test_any_split_repetition_or_order_of_batches_gives_the_same(events: list[UsageEvent], data: st.DataObject) -> None:
    state, totals = EventState(), UsageTotals()
    while state.number < len(events):
        stop = data.draw(st.integers(state.number + 1, len(events)))
        repeated = data.draw(st.integers(0, state.number))
        batch = data.draw(st.permutations(events[repeated:stop]))
        state, more = add_events(state, batch)
        totals.add(more)
    assert totals == _folded(events)
    assert add_events(state, events)[1] == UsageTotals()


@given(stories(), stories())
def test_sums_may_be_added_in_any_order(first: list[UsageEvent], second: list[UsageEvent]) -> None:
    forward, backward = totals_of(first), totals_of(second)
    forward.add(totals_of(second))
    backward.add(totals_of(first))
    assert forward == backward


def test_phones_of_a_disaster_count_by_spot_and_hour_and_are_no_visitors() -> None:
    totals = totals_of([event(1, "disaster", START, phones=7, bytes_up=5, bytes_down=9, visitor="", session="")])
    assert totals.hours["hall", "2026-11-23T09"] == HourTotals(bytes_up=5, bytes_down=9, disaster_phones=7)
    assert totals.hours["*", "2026-11-23T09"].disaster_phones == 7
    assert not totals.visitors


@given(stories())
@settings(max_examples=30)
def test_the_minutes_of_the_hours_add_up_to_the_days_which_are_those_published(events: list[UsageEvent]) -> None:
    with closing(open_stats_database(Path(":memory:"))) as store:
        write(store, EventState(), *add_events(EventState(), events))
        for day in (START.date() + timedelta(days=n) for n in range(4)):
            shown = day_report(store, "hall", day)
            seconds = sum(
                each.seconds
                for (spot, hour), each in totals_of(events).hours.items()
                if (spot, hour[:10]) == ("hall", str(day))
            )
            if shown.days_without_data:
                assert (shown.total.minutes, seconds) == (None, 0)
                continue
            assert shown.total.minutes == sum(row.minutes or 0 for row in shown.rows) == round(seconds / 60)
            assert week_report(store, "hall", day).rows[day.weekday()].minutes == shown.total.minutes
