"""The portal's own small database: vouchers, mailed codes and attempts.

It holds no address, only hashes keyed with the day; every row but a voucher's is deleted after a day.
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


class AttemptLimiter:
    """Limits attempts per action and subject over a window of up to a day, for all workers together."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, now: datetime, *limits: tuple[str, str, int, float]) -> bool:
        """Count one attempt unless a limit (action, subject, maximum, window in seconds) is reached."""
        at = now.timestamp()
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM attempt WHERE at < ? OR at > ?", (at - DAY_SECONDS, at + DAY_SECONDS))
            for action, subject, maximum, window in limits:
                (count,) = connection.execute(
                    "SELECT count(*) FROM attempt WHERE action = ? AND subject = ? AND at > ?",
                    (action, subject, at - window),
                ).fetchone()
                if count >= maximum:
                    return False
            counted = {(action, subject) for action, subject, _, _ in limits}
            connection.executemany("INSERT INTO attempt VALUES (?,?,?)", [(*row, at) for row in sorted(counted)])
        return True

    def allowed(self, now: datetime, action: str, subject: str, maximum: int, window: float) -> bool:
        """Whether another attempt would be allowed."""
        sql = "SELECT count(*) AS n FROM attempt WHERE action = ? AND subject = ? AND at > ?"
        return bool(self._store.rows(sql, (action, subject, now.timestamp() - window))[0]["n"] < maximum)
