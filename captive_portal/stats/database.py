"""The statistics' database: totals by hour, visitors by day, the days on which events were collected, and the number of
the last event counted.

A batch, its last number and who is online are written in one transaction, so that every event is counted once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from captive_portal.stats.codes import ALL_SPOTS
from captive_portal.stats.event_state import EventState
from captive_portal.stats.totals import UsageTotals
from device.migrations import Migration, additive, statements
from device.store import Store

STATS_MIGRATIONS: tuple[Migration, ...] = (
    statements(
        "CREATE TABLE counted (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL, at TEXT)",
        "CREATE TABLE live (session TEXT PRIMARY KEY, spot TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE hour_sum (spot TEXT, hour TEXT, sessions INTEGER NOT NULL, seconds INTEGER NOT NULL,"
        " bytes_up INTEGER NOT NULL, bytes_down INTEGER NOT NULL, refused INTEGER NOT NULL, peak INTEGER NOT NULL,"
        " PRIMARY KEY (spot, hour)) WITHOUT ROWID",
        "CREATE TABLE hour_part (spot TEXT, hour TEXT, part TEXT, value TEXT, count INTEGER NOT NULL,"
        " PRIMARY KEY (spot, hour, part, value)) WITHOUT ROWID",
        "CREATE TABLE day_visitor (day TEXT, spot TEXT, part TEXT, value TEXT, visitor TEXT,"
        " PRIMARY KEY (day, spot, part, value, visitor)) WITHOUT ROWID",
        "CREATE TABLE day_count (spot TEXT, day TEXT, part TEXT, value TEXT, visitors INTEGER NOT NULL,"
        " PRIMARY KEY (spot, day, part, value)) WITHOUT ROWID",
    ),
    statements("ALTER TABLE hour_sum ADD COLUMN disaster_phones INTEGER NOT NULL DEFAULT 0"),
    additive("CREATE TABLE collected_day (day TEXT PRIMARY KEY) WITHOUT ROWID"),
)
_ADD_HOUR = (
    "INSERT INTO hour_sum VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET sessions = sessions + excluded.sessions,"
    " seconds = seconds + excluded.seconds, bytes_up = bytes_up + excluded.bytes_up,"
    " bytes_down = bytes_down + excluded.bytes_down, refused = refused + excluded.refused,"
    " peak = max(peak, excluded.peak), disaster_phones = disaster_phones + excluded.disaster_phones"
)
_ADD_PART = "INSERT INTO hour_part VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET count = count + excluded.count"
_REDUCE = (
    "INSERT INTO day_count SELECT spot, day, part, value, count(*) FROM day_visitor WHERE day < ?"
    " GROUP BY spot, day, part, value ON CONFLICT DO UPDATE SET visitors = visitors + excluded.visitors"
)


def open_stats_database(path: Path) -> Store:
    """The database at ``path``, created when missing."""
    return Store(path, STATS_MIGRATIONS)


def open_stats_for_reading(path: Path) -> Store:
    """The database at ``path``, or an empty one in memory when the file is missing: reading changes no file."""
    return Store.for_reading(path, STATS_MIGRATIONS) if path.exists() else open_stats_database(Path(":memory:"))


def read_event_state(store: Store) -> EventState:
    """The state after the last batch."""
    found = store.rows("SELECT number, at FROM counted")
    if not found:
        return EventState()
    at = datetime.fromisoformat(found[0]["at"]) if found[0]["at"] else None
    return EventState(found[0]["number"], at, {r["session"]: r["spot"] for r in store.rows("SELECT * FROM live")})


def write(store: Store, before: EventState, after: EventState, totals: UsageTotals) -> None:
    """One batch in one transaction, on the disk when this returns."""
    closed = _closed_days(store)
    hours = [
        (
            spot,
            _open_hour(hour, closed),
            s.sessions,
            s.seconds,
            s.bytes_up,
            s.bytes_down,
            s.refused,
            s.peak,
            s.disaster_phones,
        )
        for (spot, hour), s in totals.hours.items()
    ]
    gone = [(session,) for session in before.live.keys() - after.live.keys()]
    here = [pair for pair in after.live.items() if before.live.get(pair[0]) != pair[1]]
    with store.transaction() as connection:
        connection.executemany(_ADD_HOUR, hours)
        connection.executemany(_ADD_PART, [(*key, count) for key, count in totals.parts.items()])
        connection.executemany("INSERT OR IGNORE INTO day_visitor VALUES (?,?,?,?,?)", sorted(totals.visitors))
        connection.executemany("DELETE FROM live WHERE session = ?", gone)
        connection.executemany("INSERT OR REPLACE INTO live VALUES (?,?)", here)
        at = after.at.isoformat() if after.at else None
        connection.execute("INSERT OR REPLACE INTO counted VALUES (1,?,?)", (after.number, at))


def _closed_days(store: Store) -> frozenset[str]:
    """The newest 40 days that are closed and may have been published."""
    rows = store.rows("SELECT DISTINCT day FROM day_count WHERE spot = ? ORDER BY day DESC LIMIT 40", (ALL_SPOTS,))
    return frozenset(row["day"] for row in rows)


def _open_hour(hour: str, closed: frozenset[str]) -> str:
    """The hour itself; for an hour of a closed day the first hour after that day. Use shortly before midnight is
    reported after it: added to a day that is published already, it could be found by subtraction.
    """
    while (day := hour[:10]) in closed:
        hour = f"{date.fromisoformat(day) + timedelta(days=1)}T00"
    return hour


def close_days(store: Store, today: date, keep_days: int) -> int:
    """Reduce the visitors of past days to counts, and delete what is older than ``keep_days``. Rows deleted, without
    ``collected_day``.
    """
    day, oldest = today.isoformat(), (today - timedelta(days=keep_days)).isoformat()
    with store.transaction() as connection:
        connection.execute(_REDUCE, (day,))
        dropped = connection.execute("DELETE FROM day_visitor WHERE day < ?", (day,)).rowcount
        for table, column in (("hour_sum", "hour"), ("hour_part", "hour"), ("day_count", "day")):
            dropped += connection.execute(f"DELETE FROM {table} WHERE {column} < ?", (oldest,)).rowcount  # noqa: S608  # constants
        connection.execute("DELETE FROM collected_day WHERE day < ?", (oldest,))
    if dropped:
        store.rows("PRAGMA wal_checkpoint(TRUNCATE)")  # deleted rows must not stay in the write-ahead log
    return dropped


def open_days(store: Store) -> Sequence[str]:
    """Days whose visitors are not yet reduced to counts, oldest first."""
    return [row["day"] for row in store.rows("SELECT DISTINCT day FROM day_visitor ORDER BY day")]


def mark_collected(store: Store, day: date) -> None:
    """Note that the gate's events were collected on this day. Writes once a day."""
    if not store.rows("SELECT 1 FROM collected_day WHERE day = ?", (day.isoformat(),)):
        with store.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO collected_day VALUES (?)", (day.isoformat(),))


_COLLECTED = (
    "SELECT day FROM collected_day WHERE day >= ?1 AND day <= ?2 UNION"
    " SELECT substr(hour, 1, 10) FROM hour_sum WHERE spot = ?3 AND hour >= ?1 AND hour < ?2 || 'U'"
)
"""Also days with totals: an older release noted no days, and the gate keeps its events while nothing is collected."""


def collected_days(store: Store, first: date, last: date) -> frozenset[date]:
    """Days from ``first`` to ``last`` for which there is data. A day that is not among them has no figures, not 0."""
    rows = store.rows(_COLLECTED, (first.isoformat(), last.isoformat(), ALL_SPOTS))
    return frozenset(date.fromisoformat(row["day"]) for row in rows)


def first_collected_day(store: Store) -> date | None:
    """The first day for which there is data; None when nothing was ever collected."""
    sql = "SELECT min(day) AS day FROM (SELECT min(day) AS day FROM collected_day UNION ALL"
    sql += " SELECT substr(min(hour), 1, 10) FROM hour_sum WHERE spot = ?)"
    (row,) = store.rows(sql, (ALL_SPOTS,))
    return date.fromisoformat(row["day"]) if row["day"] else None
