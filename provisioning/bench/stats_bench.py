"""The statistics rows, beside the same question in plain SQL over the raw events.

Ours keeps hourly sums, so a page costs what its day holds and not what the years hold; the peer is a table of events
with an index, in SQLite. Ten million events are stood for by the sums they leave: ten times as many days.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

from captive_portal.gate.protocol import UsageEvent
from captive_portal.settings import Ipv4Settings, SpotSettings, WifiSettings
from captive_portal.stats.database import close_days, open_stats_database, read_event_state, write
from captive_portal.stats.event_state import add_events
from captive_portal.stats.page import create_stats_app
from device.clock import JST, SystemClock
from device.logs import open_log
from device.store import Store
from provisioning.bench.figures import growth, in_turn, median, milliseconds, spread
from provisioning.bench.rows import Measured
from provisioning.bench.workload import Workload

SPOT = "hall"
PER_DAY = 1_000
"""Sessions a day; each is three events (opened, used, ended)."""
LAST = date(2026, 11, 22)
SETTINGS = WifiSettings(
    spots=[SpotSettings(name=SPOT, interface="lan", uplink="up", ipv4=Ipv4Settings(gateway="10.90.0.1"))]
)
_DAY_SQL = """SELECT substr(at, 1, 13), count(*) FILTER (WHERE kind = 'opened'), sum(seconds), sum(up), sum(down),
 count(DISTINCT visitor) FROM event WHERE spot = ? AND at >= ? AND at < ? GROUP BY 1"""


def measure(workload: Workload) -> Iterator[Measured]:
    """See benches.MODULES."""
    days = workload.size(333, 2)
    small, large = (_store(workload.folder / f"{n}.db", n * days) for n in (1, 10))
    raw = _raw(workload.folder / "raw.db", workload.size(300_000, 6_000))
    pages = in_turn([_page(small), _page(large), lambda: _raw_day(raw)], workload.size(20, 2))
    few, many, peer = (median(values) for values in pages)
    note = f"a day's page drawn by the app, without a server, {spread(pages[0])}; theirs: the day's sums alone"
    yield Measured("stats.page_ms", few, peer, note)
    told = f"{few:.3g} ms with {days} days, {many:.3g} ms with {10 * days} days of {3 * PER_DAY} events"
    yield Measured("stats.page_growth_1m_to_10m", growth(few, many), note=told)
    yield _booking(workload, raw)


def events(day: date, first: int, sessions: int) -> list[UsageEvent]:
    """A day's events, numbered from ``first``, spread over twelve hours."""
    made: list[UsageEvent] = []
    for n in range(sessions):
        at = datetime(day.year, day.month, day.day, 8, tzinfo=JST) + timedelta(seconds=n * 43_200 // sessions)
        facts = {"spot": SPOT, "visitor": f"v{day}{n}", "session": f"s{day}{n}", "method": "one_tap", "device": "apple"}
        for step, kind in enumerate(("opened", "used", "ended")):
            grown = {"seconds": 600, "bytes_up": 10_000, "bytes_down": 900_000} if step else {}
            moment = at + timedelta(seconds=600 * step)
            number = first + 3 * n + step
            made.append(UsageEvent(number=number, kind=kind, at=moment, language="ja", **facts, **grown))  # type: ignore[arg-type]  # kind by name
    return sorted(made, key=lambda event: event.number)


def _store(path: Path, days: int) -> Store:
    """``days`` days of sums: one day is counted, and its sums are copied for the others."""
    store = open_stats_database(path)
    state = read_event_state(store)
    after, sums = add_events(state, events(LAST, 1, PER_DAY))
    write(store, state, after, sums)
    close_days(store, LAST + timedelta(days=1), 100_000)
    with store.transaction() as connection:
        for back in range(1, days):
            day = (LAST - timedelta(days=back)).isoformat()
            for table, column in (("hour_sum", "hour"), ("hour_part", "hour"), ("day_count", "day")):
                names = [row["name"] for row in connection.execute(f"PRAGMA table_info({table})")]
                picked = ", ".join(f"? || substr({name}, 11)" if name == column else name for name in names)
                sql = f"INSERT INTO {table} SELECT {picked} FROM {table} WHERE {column} LIKE ?"  # noqa: S608 - constants
                connection.execute(sql, (day, f"{LAST.isoformat()}%"))
    return store


def _page(store: Store) -> Callable[[], float]:
    client = create_stats_app(SETTINGS, store, SystemClock(), open_log("stats")).test_client()
    address = f"/?spot={SPOT}&period=day&date={LAST.isoformat()}"

    def once() -> float:
        return milliseconds(lambda: client.get(address).get_data())

    once()
    return once


def _raw(path: Path, wanted: int) -> sqlite3.Connection:
    """``wanted`` raw events of as many days as they fill, newest on LAST."""
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE event (spot TEXT, at TEXT, kind TEXT, visitor TEXT, seconds INT, up INT, down INT)")
    for back in range(wanted // (3 * PER_DAY)):
        _book_raw(raw, events(LAST - timedelta(days=back), 1, PER_DAY))
    raw.execute("CREATE INDEX by_time ON event (spot, at)")
    raw.commit()
    return raw


def _book_raw(raw: sqlite3.Connection, found: list[UsageEvent]) -> None:
    rows = [(e.spot, e.at.isoformat(), e.kind, e.visitor, e.seconds, e.bytes_up, e.bytes_down) for e in found]
    raw.executemany("INSERT INTO event VALUES (?,?,?,?,?,?,?)", rows)
    raw.commit()


def _raw_day(raw: sqlite3.Connection) -> float:
    bounds = (SPOT, LAST.isoformat(), (LAST + timedelta(days=1)).isoformat())
    return milliseconds(lambda: raw.execute(_DAY_SQL, bounds).fetchall())


def _booking(workload: Workload, raw: sqlite3.Connection) -> Measured:
    """Events folded into sums and committed, in batches as the collector takes them."""
    store = open_stats_database(workload.folder / "booked.db")
    numbers = count(1, 3 * PER_DAY)

    def ours() -> float:
        found = events(LAST, next(numbers), PER_DAY)

        def book() -> None:
            state = read_event_state(store)
            write(store, state, *add_events(state, found))

        return len(found) / milliseconds(book) * 1000

    def theirs() -> float:
        found = events(LAST, 1, PER_DAY)
        return len(found) / milliseconds(lambda: _book_raw(raw, found)) * 1000

    mine, plain = in_turn([ours, theirs], workload.size(10, 2))
    return Measured("stats.events_per_second", median(mine), median(plain), f"{3 * PER_DAY} in a batch, {spread(mine)}")
