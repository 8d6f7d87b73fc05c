"""One day as staff would count it by hand at the door, held against what the statistics say of it.

The script, 23 November, spot "hall", 60 minutes a visit (h:mm):

    9:00  phones 1-6 tap: 1-3 Japanese on iPhones, 4-5 English on Androids, 6 Vietnamese on Windows
    9:10  phone 7 types a wrong voucher
    9:20  phone 1 has moved 1 MB up and 9 MB down
    9:30  phone 4 logs out
    9:50  phone 7 has a voucher of 20 minutes; it ends at 10:10
    9:59  the five others end                            (the gate ends a session 0.4 s early)
   10:30  phone 4 is back, in Korean; phones 8-12 tap in Japanese on iPhones
   11:30  they end
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest

from captive_portal.gate import protocol as p
from captive_portal.gate.memory import MemoryGate
from captive_portal.settings import LimitSettings
from captive_portal.stats.codes import MERGED
from captive_portal.stats.collector import StatsCollector
from captive_portal.stats.database import open_stats_database
from captive_portal.stats.open_data import publish, read_days
from captive_portal.stats.report import Report, day_report, week_report
from device.clock import HeldClock
from device.logs import open_log
from device.store import Store
from tests.captive_portal.gate.sites import MORNING, a_site, ip, mac

DAY = date(2026, 11, 23)
JAPANESE, ENGLISH, VIETNAMESE = ("ja", "apple"), ("en", "android"), ("vi", "windows")


class Hall:
    """The script's hands."""

    def __init__(self, folder: Path) -> None:
        self.clock = HeldClock(MORNING)
        self.gate = MemoryGate(a_site(LimitSettings(minutes_per_visit=60)), self.clock)
        self.store = open_stats_database(folder / "stats.db")
        self.collector = StatsCollector(self.gate, self.store, self.clock, open_log("stats", StringIO()))

    def at(self, hour: int, minute: float) -> None:
        """Let the time come, and collect as the thread would."""
        moment = MORNING.replace(hour=0) + timedelta(hours=hour, minutes=minute)
        self.clock.advance((moment - self.clock.now()).total_seconds())
        self.collector.collect()

    def tap(self, number: int, who: tuple[str, str], **more: object) -> None:
        self.gate.arrive(ip(number), mac(number))
        asked = {"ip": ip(number), "method": "one_tap", "language": who[0], "device": who[1], **more}
        assert isinstance(self.gate.open(p.Open(**asked)), p.Opened)  # type: ignore[arg-type]  # fields by name


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The database after the script, and after midnight."""
    hall = Hall(tmp_path)
    for number, who in enumerate([JAPANESE] * 3 + [ENGLISH] * 2 + [VIETNAMESE], 1):
        hall.tap(number, who)
    hall.at(9, 10)
    hall.gate.arrive(ip(7), mac(7))
    hall.gate.note_refused(p.NoteRefused(ip=ip(7), method="voucher", why="voucher", language="ja", device="apple"))
    hall.at(9, 20)
    hall.gate.traffic(ip(1), 1_000_000, 9_000_000)
    hall.at(9, 30)
    hall.gate.end(ip=ip(4))
    hall.at(9, 50)
    hall.tap(7, JAPANESE, method="voucher", minutes=20)
    hall.at(9, 59.995)
    hall.at(10, 10)
    hall.at(10, 30)
    hall.tap(4, ("ko", "android"))
    for number in range(8, 13):
        hall.tap(number, JAPANESE)
    hall.at(11, 30)
    hall.at(24, 1)
    yield hall.store
    hall.store.close()


def figures_of(report: Report) -> dict[str, tuple[int | None, ...]]:
    """Label -> visitors, sessions, minutes, bytes up, bytes down, refused, peak; empty rows left out."""
    facts = {
        r.label: (r.visitors, r.sessions, r.minutes, r.bytes_up, r.bytes_down, r.refused, r.peak)
        for r in [*report.rows, report.total]
    }
    return {label: figures for label, figures in facts.items() if any(figures)}


def test_the_day_is_what_was_counted_at_the_door(store: Store) -> None:
    assert figures_of(day_report(store, "hall", DAY)) == {
        "09": (7, 7, 340, 1_000_000, 9_000_000, 1, 6),  # 5 x 60 min, 30 of phone 4, 10 of phone 7
        "10": (6, 6, 190, 0, 0, 0, 6),  # 10 of phone 7, 6 x 30
        "11": (0, 0, 180, 0, 0, 0, 6),  # 6 x 30
        "": (12, 13, 710, 1_000_000, 9_000_000, 1, 6),
    }
    assert figures_of(week_report(store, "hall", DAY)) == {
        "2026-11-23": (12, 13, 710, 1_000_000, 9_000_000, 1, 6),
        "": (12, 13, 710, 1_000_000, 9_000_000, 1, 6),
    }


def test_its_parts_are_what_was_counted_at_the_door(store: Store) -> None:
    assert day_report(store, "hall", DAY).parts == {
        "method": {"one_tap": 12, "voucher": 1},
        "language": {"ja": 9, "en": 2, "ko": 1, "vi": 1},
        "device": {"apple": 9, "android": 3, "windows": 1},
        "refusal": {"voucher": 1},
        "end": {"expired": 12, "logout": 1},
    }


def test_what_is_published_of_it_names_nobody_out_of_fewer_than_five(store: Store) -> None:
    (facts,) = read_days(store, DAY, DAY)
    lines = {(line.part, line.value): line for line in publish(facts)}
    whole = lines.pop(("", ""))
    assert (whole.visitors, whole.sessions, whole.minutes, whole.refused, whole.peak) == (12, 13, 710, None, 6)
    assert {key: line.sessions for key, line in lines.items()} == {("hour", "09"): 7, ("hour", "10"): 6}
    assert not any(value == MERGED for _, value in lines)  # one group alone would only repeat the day


def test_what_is_told_after_midnight_does_not_change_a_closed_day(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    hall.at(23, 50)
    for number in range(1, 8):
        hall.tap(number, JAPANESE)
    hall.at(24, 1)
    (before,) = read_days(hall.store, DAY, DAY)
    hall.at(25, 0)
    assert list(read_days(hall.store, DAY, DAY)) == [before]
    both = [day_report(hall.store, "hall", day).total.minutes for day in (DAY, DAY + timedelta(days=1))]
    assert both == [0, 7 * 60]
    hall.store.close()
