"""The portal's own small database: vouchers, mailed codes and how often something was tried.

Addresses are never in it, only keyed hashes of the day; every row but a voucher's is gone after a day.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from device.store import SMALL_PAGE, Migration, Store, statements

PORTAL_MIGRATIONS: tuple[Migration, ...] = (
    statements(
        "CREATE TABLE voucher (hash TEXT PRIMARY KEY, batch TEXT NOT NULL, minutes INTEGER NOT NULL,"
        " valid_until REAL NOT NULL, claimed_by TEXT, used_at REAL)",
        "CREATE TABLE mailed_code (id TEXT PRIMARY KEY, phone TEXT NOT NULL, account TEXT NOT NULL,"
        " hash TEXT NOT NULL, tries_left INTEGER NOT NULL, expires REAL NOT NULL)",
        "CREATE TABLE attempt (action TEXT NOT NULL, subject TEXT NOT NULL, at REAL NOT NULL)",
        "CREATE INDEX attempt_of ON attempt (action, subject, at)",
        "CREATE INDEX attempt_at ON attempt (at)",
    ),
)
DAY_SECONDS = 86400.0


def open_records(state: Path) -> Store:
    """The database under the state folder; several workers and the staff's command may have it open."""
    return Store(state / "portal" / "portal.db", PORTAL_MIGRATIONS, page_bytes=SMALL_PAGE)


class Attempts:
    """Counts tries per action and subject, over any window up to a day, for all workers together."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, now: datetime, *limits: tuple[str, str, int, float]) -> bool:
        """Note one try if every limit (action, subject, most, window in seconds) leaves room; else note nothing."""
        at = now.timestamp()
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM attempt WHERE at < ? OR at > ?", (at - DAY_SECONDS, at + DAY_SECONDS))
            for action, subject, most, window in limits:
                (count,) = connection.execute(
                    "SELECT count(*) FROM attempt WHERE action = ? AND subject = ? AND at > ?",
                    (action, subject, at - window),
                ).fetchone()
                if count >= most:
                    return False
            noted = {(action, subject) for action, subject, _, _ in limits}
            connection.executemany("INSERT INTO attempt VALUES (?,?,?)", [(*row, at) for row in sorted(noted)])
        return True

    def room(self, now: datetime, action: str, subject: str, most: int, window: float) -> bool:
        """Whether another try would be allowed."""
        sql = "SELECT count(*) AS n FROM attempt WHERE action = ? AND subject = ? AND at > ?"
        return bool(self._store.rows(sql, (action, subject, now.timestamp() - window))[0]["n"] < most)
