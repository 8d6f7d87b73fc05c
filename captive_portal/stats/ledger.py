"""The statistics' database: sums by hour, visitors by day, and how far the gate's events were counted.

A batch, its number and who is online are written in one transaction, so an event counts once whatever is cut off when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from captive_portal.stats.codes import BOX
from captive_portal.stats.sums import Sums
from captive_portal.stats.tally import Tally
from device.store import Migration, Store, statements

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
)
_ADD_SUM = (
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


def open_ledger(path: Path) -> Store:
    """The database at ``path``, made when missing."""
    return Store(path, STATS_MIGRATIONS)


def open_for_reading(path: Path) -> Store:
    """The database at ``path`` as it is: a reader changes nothing. Raises StoreError, also when there is none."""
    return Store.for_reading(path, STATS_MIGRATIONS)


def read_tally(store: Store) -> Tally:
    """How far we are."""
    found = store.rows("SELECT number, at FROM counted")
    if not found:
        return Tally()
    at = datetime.fromisoformat(found[0]["at"]) if found[0]["at"] else None
    return Tally(found[0]["number"], at, {r["session"]: r["spot"] for r in store.rows("SELECT * FROM live")})


def write(store: Store, before: Tally, after: Tally, sums: Sums) -> None:
    """One batch, all or nothing, on disk when this returns."""
    told = _told_days(store)
    hours = [
        (
            spot,
            _untold(hour, told),
            s.sessions,
            s.seconds,
            s.bytes_up,
            s.bytes_down,
            s.refused,
            s.peak,
            s.disaster_phones,
        )
        for (spot, hour), s in sums.hours.items()
    ]
    gone = [(session,) for session in before.live.keys() - after.live.keys()]
    here = [pair for pair in after.live.items() if before.live.get(pair[0]) != pair[1]]
    with store.transaction() as connection:
        connection.executemany(_ADD_SUM, hours)
        connection.executemany(_ADD_PART, [(*key, count) for key, count in sums.parts.items()])
        connection.executemany("INSERT OR IGNORE INTO day_visitor VALUES (?,?,?,?,?)", sorted(sums.visitors))
        connection.executemany("DELETE FROM live WHERE session = ?", gone)
        connection.executemany("INSERT OR REPLACE INTO live VALUES (?,?)", here)
        at = after.at.isoformat() if after.at else None
        connection.execute("INSERT OR REPLACE INTO counted VALUES (1,?,?)", (after.number, at))


def _told_days(store: Store) -> frozenset[str]:
    """The newest days that are closed, and may have been published."""
    rows = store.rows("SELECT DISTINCT day FROM day_count WHERE spot = ? ORDER BY day DESC LIMIT 40", (BOX,))
    return frozenset(row["day"] for row in rows)


def _untold(hour: str, told: frozenset[str]) -> str:
    """The hour itself; for one of a closed day the first hour after it. What a session did in its last minutes before
    midnight is told later: added to a day that was published, it could be worked out by subtraction.
    """
    while (day := hour[:10]) in told:
        hour = f"{date.fromisoformat(day) + timedelta(days=1)}T00"
    return hour


def close_days(store: Store, today: date, keep_days: int) -> int:
    """Turn the visitors of past days into counts and forget them; drop sums older than ``keep_days``. Rows dropped."""
    day, oldest = today.isoformat(), (today - timedelta(days=keep_days)).isoformat()
    with store.transaction() as connection:
        connection.execute(_REDUCE, (day,))
        dropped = connection.execute("DELETE FROM day_visitor WHERE day < ?", (day,)).rowcount
        for table, column in (("hour_sum", "hour"), ("hour_part", "hour"), ("day_count", "day")):
            dropped += connection.execute(f"DELETE FROM {table} WHERE {column} < ?", (oldest,)).rowcount  # noqa: S608  # constants
    if dropped:
        store.rows("PRAGMA wal_checkpoint(TRUNCATE)")  # what was deleted must not live on in the log
    return dropped


def open_days(store: Store) -> Sequence[str]:
    """Days whose visitors are still counted one by one, oldest first."""
    return [row["day"] for row in store.rows("SELECT DISTINCT day FROM day_visitor ORDER BY day")]
