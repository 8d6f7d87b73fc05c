"""The collector books every event once, whatever breaks, and forgets visitors when their day is over."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest

from captive_portal.gate import protocol as p
from captive_portal.gate.memory import MemoryGate
from captive_portal.settings import LimitSettings
from captive_portal.stats.collector import StatsCollector
from captive_portal.stats.database import (
    close_days,
    collected_days,
    first_collected_day,
    open_days,
    open_stats_database,
    read_event_state,
)
from captive_portal.stats.report import day_report, week_report
from device.clock import HeldClock
from device.errors import StoreError
from device.logs import open_log
from device.store import Store
from tests.captive_portal.gate.sites import MORNING, a_site, ip, mac


class Box:
    """A gate in memory, a store on disk, and the collector between them."""

    def __init__(self, folder: Path) -> None:
        self.clock = HeldClock(MORNING)
        self.gate = MemoryGate(a_site(LimitSettings(minutes_per_visit=90)), self.clock)
        self.log = io.StringIO()
        self.store = open_stats_database(folder / "stats.db")
        self.collector = self.made(self.store)

    def made(self, store: Store, seconds: float = 0.01) -> StatsCollector:
        return StatsCollector(self.gate, store, self.clock, open_log("stats", self.log), seconds=seconds)

    def log_in(self, number: int, method: str = "one_tap") -> p.Opened | p.Refused:
        self.gate.arrive(ip(number), mac(number))
        return self.gate.open(p.Open(ip=ip(number), method=method, language="ja", device="apple"))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_a_visit_becomes_totals(box: Box) -> None:
    box.log_in(1)
    box.gate.traffic(ip(1), 1000, 9000)
    box.clock.advance(90 * 60)
    box.collector.collect()
    total = day_report(box.store, "hall", MORNING.date()).total
    assert (total.visitors, total.sessions, total.bytes_up, total.bytes_down, total.peak) == (1, 1, 1000, 9000, 1)
    assert total.minutes in (89, 90)


def test_a_day_of_collecting_without_visitors_is_zero_and_any_other_day_is_no_data(box: Box) -> None:
    assert day_report(box.store, "hall", MORNING.date()).never_collected
    box.collector.run_once()
    box.gate.down = True
    box.clock.advance(86400)
    box.collector.run_once()
    today, next_day = (day_report(box.store, "hall", MORNING.date() + timedelta(days=n)) for n in (0, 1))
    assert (today.total.sessions, today.rows[9].peak, today.days_without_data) == (0, 0, [])
    assert (next_day.total.sessions, next_day.rows[9].peak, next_day.never_collected) == (None, None, False)
    week = week_report(box.store, "hall", MORNING.date())
    assert [row.sessions for row in week.rows] == [0, None, None, None, None, None, None]
    assert (week.total.sessions, len(week.days_without_data)) == (0, 6)


def test_events_that_were_collected_later_are_data_of_their_own_day(box: Box) -> None:
    box.log_in(1)
    box.clock.advance(86400)
    box.collector.run_once()
    reports = [day_report(box.store, "hall", MORNING.date() + timedelta(days=n)) for n in (-1, 0, 1)]
    assert [report.total.sessions for report in reports] == [None, 1, 0]


def test_a_collected_day_is_forgotten_with_its_totals(box: Box) -> None:
    box.collector.run_once()
    assert collected_days(box.store, MORNING.date(), MORNING.date()) == {MORNING.date()}
    close_days(box.store, MORNING.date() + timedelta(days=31), 30)
    assert first_collected_day(box.store) is None


def test_collecting_twice_counts_once(box: Box) -> None:
    box.log_in(1)
    assert box.collector.collect() == 1
    assert box.collector.collect() == 0
    assert day_report(box.store, "*", MORNING.date()).total.sessions == 1


def test_an_answer_that_is_given_again_is_counted_once(box: Box) -> None:
    box.log_in(1)

    class Forgetful(MemoryGate):
        """Never hears an acknowledgement."""

        def request(self, request: p.Request) -> p.Answer:
            return box.gate.request(p.DrainUsage(limit=request.limit) if isinstance(request, p.DrainUsage) else request)

    gate = Forgetful(a_site(), box.clock)
    collector = StatsCollector(gate, box.store, box.clock, open_log("stats", box.log))
    assert [collector.collect(), collector.collect()] == [1, 0]
    assert day_report(box.store, "*", MORNING.date()).total.sessions == 1


def test_a_gate_that_lost_its_database_and_counts_anew_is_heard(box: Box) -> None:
    for number in (1, 2, 3):
        box.log_in(number)
    box.collector.collect()
    box.gate = MemoryGate(a_site(), box.clock)
    box.log_in(4)
    assert box.made(box.store).collect() == 1
    assert day_report(box.store, "*", MORNING.date()).total.sessions == 4


def test_a_quiet_box_makes_neither_side_write(box: Box) -> None:
    box.log_in(1)
    box.collector.collect()
    asked: list[p.Request] = []

    class Listening(MemoryGate):
        """Keeps what it was asked."""

        def request(self, request: p.Request) -> p.Answer:
            asked.append(request)
            return box.gate.request(request)

    quiet = StatsCollector(Listening(a_site(), box.clock), box.store, box.clock, open_log("stats", box.log))
    written = box.store.path.with_name("stats.db-wal")
    before = written.read_bytes()
    assert quiet.collect() == 0
    assert [r.acknowledged for r in asked if isinstance(r, p.DrainUsage)] == [0]
    assert written.read_bytes() == before


def test_a_batch_that_was_not_committed_is_not_acknowledged(box: Box, tmp_path: Path) -> None:
    box.log_in(1)
    broken = open_stats_database(tmp_path / "broken.db")
    with broken.transaction() as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON counted BEGIN SELECT raise(ABORT, 'full'); END")
    with pytest.raises(Exception, match="full"):
        box.made(broken).collect()
    assert broken.rows("SELECT * FROM hour_sum") == []
    assert box.collector.collect() == 1


def test_a_restarted_collector_goes_on_where_it_stood(box: Box, tmp_path: Path) -> None:
    box.log_in(1)
    box.collector.collect()
    box.store.close()
    box.clock.advance(3 * 3600)
    store = open_stats_database(tmp_path / "stats.db")
    box.made(store).collect()
    report = day_report(store, "hall", MORNING.date())
    assert [report.rows[hour].peak for hour in (9, 10, 11, 12)] == [1, 1, 1, 1]
    assert (report.total.sessions, read_event_state(store).live) == (1, {})


def test_refusals_are_counted_by_their_reason(box: Box) -> None:
    box.log_in(1, method="email_code")
    box.gate.note_refused(p.NoteRefused(ip=ip(1), method="voucher", why="voucher_used"))
    box.collector.collect()
    report = day_report(box.store, "hall", MORNING.date())
    assert report.total.refused == 2
    assert report.parts["refusal"] == {"method": 1, "voucher_used": 1}


def test_the_visitors_of_a_day_are_reduced_to_a_number_when_it_is_over(box: Box) -> None:
    for number in (1, 2, 1):
        box.log_in(number)
    box.collector.collect()
    assert open_days(box.store) == ["2026-11-23"]
    box.clock.advance(86400)
    box.log_in(1)
    box.collector.collect()
    assert open_days(box.store) == ["2026-11-24"]
    week = week_report(box.store, "hall", MORNING.date())
    assert [row.visitors for row in week.rows] == [2, 1, None, None, None, None, None]
    assert week.total.visitors == 3


def test_closing_a_day_twice_changes_nothing(box: Box) -> None:
    box.log_in(1)
    box.collector.collect()
    tomorrow = MORNING.date() + timedelta(days=1)
    assert close_days(box.store, tomorrow, 1000) > 0
    assert close_days(box.store, tomorrow, 1000) == 0
    assert day_report(box.store, "*", MORNING.date()).total.visitors == 1


def test_sums_are_dropped_after_their_time(box: Box) -> None:
    box.log_in(1)
    box.collector.collect()
    close_days(box.store, MORNING.date() + timedelta(days=31), 30)
    left = [day_report(box.store, spot, MORNING.date()) for spot in ("hall", "*")]
    assert [(r.total.sessions, r.total.visitors, r.parts["method"]) for r in left] == [(None, None, {})] * 2


def test_a_session_whose_end_was_lost_does_not_stay_in_the_peaks(box: Box) -> None:
    box.log_in(1)
    box.collector.collect()
    box.gate = MemoryGate(a_site(), box.clock)
    box.made(box.store).collect()
    assert read_event_state(box.store).live == {}


def test_visitors_do_not_wait_for_a_gate_that_is_gone(box: Box) -> None:
    box.log_in(1)
    box.collector.collect()
    box.gate.down = True
    box.clock.advance(4 * 86400)
    box.collector.run_once()
    assert open_days(box.store) == []


def test_a_gate_that_is_gone_is_said_once_and_waited_for(box: Box) -> None:
    box.gate.down = True
    for _ in range(3):
        box.collector.run_once()
    box.gate.down = False
    box.log_in(1)
    box.collector.run_once()
    assert box.log.getvalue().count("stats_gate_unreachable") == 1
    assert box.log.getvalue().count("stats_gate_reached") == 1
    assert read_event_state(box.store).number == 1


def test_the_thread_collects_and_stops(box: Box) -> None:
    box.log_in(1)
    box.collector.start()
    box.collector.stop()
    assert read_event_state(box.store).number == 1


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    store = open_stats_database(tmp_path / "stats.db")
    store.rows("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(StoreError):
        open_stats_database(tmp_path / "stats.db")
