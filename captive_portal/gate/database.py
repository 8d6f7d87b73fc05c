"""The gate's database: sessions, the day's salt and use, blocked phones, disaster mode, usage events, and the encrypted
connection log.

A session's row, with its MAC, is deleted when it ends (secure_delete, and the write-ahead log is cut back by
``truncate_wal``); in the same transaction its entry is added to the connection log, if there is one.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from captive_portal.gate import protocol as p
from captive_portal.gate.connection_log.sealing import LogSealer
from captive_portal.gate.policy.blocked_phones import BlockedPhone
from captive_portal.gate.policy.changes import Changes
from captive_portal.gate.policy.identity import DaySalt
from captive_portal.gate.policy.session import Session
from captive_portal.gate.policy.session_policy import SessionPolicy
from captive_portal.settings import ConnectionLogSettings
from device.audit import AUDIT_MIGRATIONS
from device.migrations import additive, statements
from device.store import SMALL_PAGE, Store

T = TypeVar("T")

MIGRATIONS = (
    *AUDIT_MIGRATIONS,
    statements(
        "CREATE TABLE session (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE usage (number INTEGER PRIMARY KEY, body BLOB NOT NULL)",
        "CREATE TABLE fact (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
    ),
    statements("CREATE TABLE sealed (number INTEGER PRIMARY KEY, day TEXT NOT NULL, box BLOB NOT NULL)"),
    additive("CREATE TABLE used (name TEXT PRIMARY KEY, seconds REAL NOT NULL) WITHOUT ROWID"),
)


@dataclass(slots=True, frozen=True)
class Moment:
    """A point in time that can be compared across reboots: boot id, monotonic seconds and wall clock. Stored as JSON
    under these field names.
    """

    boot: str
    monotonic: float
    wall: datetime


def after_boot(session: Session, kept: Moment, now: Moment) -> Session:
    """The session at ``now``. In the same boot it is unchanged, whatever the wall clock did. After a reboot it has the
    seconds that were left at the last checkpoint, less the wall clock time since (a clock that went back takes none).
    """
    if kept.boot == now.boot:
        return session
    gone = max(0.0, (now.wall - kept.wall).total_seconds())
    left = max(0.0, session.ends - kept.monotonic) - gone
    spent = session.spent + max(0.0, kept.monotonic - session.since)
    return replace(session, spent=spent, since=now.monotonic, ends=now.monotonic + left)


class Database:
    """The gate's SQLite file. Only the enforcer's thread writes it."""

    def __init__(self, path: Path, log: ConnectionLogSettings | None = None) -> None:
        self.store = Store(path, MIGRATIONS, page_bytes=SMALL_PAGE)
        self.store.rows("PRAGMA cache_size=-256")  # KiB, not 2 MiB: rows are written, and hardly ever read
        self._log = log or ConnectionLogSettings()
        self._sealer = LogSealer(base64.b64decode(self._log.key)) if self._log.key else None

    # -- reading at the start --

    def token_key(self) -> bytes:
        """The key of the resume tokens, generated once."""
        key = self._fact("token_key", bytes)
        if key is None:
            key = secrets.token_bytes(32)
            with self.store.transaction() as connection:
                _put_fact(connection, "token_key", key)
        return key

    def salt(self) -> DaySalt | None:
        """The day's salt, if one is stored."""
        return self._fact("salt", DaySalt)

    def restore(self, policy: SessionPolicy, now: Moment) -> None:
        """Load the stored state into ``policy``; disaster mode whose end has passed meanwhile ends there."""
        kept = self._fact("kept", Moment) or now
        rows = self.store.rows("SELECT body FROM session")
        sessions = [after_boot(msgspec.json.decode(row["body"], type=Session), kept, now) for row in rows]
        (last,) = self.store.rows("SELECT max(coalesce((SELECT max(number) FROM usage), 0), ?)", (self._numbered(),))
        used = self._fact("used", dict[str, float]) or {}  # of an older release, on the day of the update
        used |= {row["name"]: row["seconds"] for row in self.store.rows("SELECT name, seconds FROM used")}
        policy.restore(sorted(sessions, key=lambda s: s.started_at), used, int(last[0]))
        policy.blocked_phones.restore(
            self._fact("blocked", set[str]) or (), self._fact("bars", list[BlockedPhone]) or ()
        )
        disaster = self._fact("disaster", p.Disaster)
        if disaster and disaster.on:
            policy.set_disaster(
                p.SetDisaster(on=True, reason=disaster.reason, until=disaster.until, drill=disaster.drill)
            )

    def structure(self, table: str) -> str:
        """The table as the kernel listed it after ``table`` was last installed; "" if it never was."""
        rows = self._fact("structure", list[str]) or ["", ""]
        return rows[1] if rows[0] == _digest(table) else ""

    def save_structure(self, table: str, structure: str) -> None:
        """See ``structure``."""
        with self.store.transaction() as connection:
            _put_fact(connection, "structure", [_digest(table), structure])

    def _numbered(self) -> int:
        return self._fact("numbered", int) or 0

    def _fact(self, name: str, kind: type[T]) -> T | None:
        rows = self.store.rows("SELECT body FROM fact WHERE name = ?", (name,))
        return msgspec.json.decode(rows[0]["body"], type=kind) if rows else None

    # -- writing --

    def write(self, changes: Changes, policy: SessionPolicy, salt: DaySalt, now: Moment) -> None:
        """Write the changes in one transaction, on the disk when this returns."""
        with self.store.transaction() as connection:
            _write_sessions(connection, (policy.sessions[i] for i in changes.updated))
            connection.executemany("DELETE FROM session WHERE id = ?", [(i,) for i in changes.ended])
            if changes.day:
                connection.execute("DELETE FROM used")
                connection.execute("DELETE FROM fact WHERE name = 'used'")
            _write_used(connection, changes.ended.values(), policy.used_seconds)
            _write_usage(connection, changes.usage_events)
            if changes.log_entries and self._sealer:
                box = (now.wall.date().isoformat(), self._sealer.seal(changes.log_entries))
                connection.execute("INSERT INTO sealed (day, box) VALUES (?,?)", box)
            if changes.blocked_phones:
                _put_fact(connection, "blocked", list(policy.blocked_phones))  # who; an older release reads this alone
                _put_fact(connection, "bars", policy.blocked_phones.records())  # since when and where
            if changes.disaster:
                _put_fact(connection, "disaster", policy.disaster)
            if changes.day:
                _put_fact(connection, "salt", salt)
                oldest = now.wall.date() - timedelta(days=self._log.keep_days)
                connection.execute("DELETE FROM sealed WHERE day < ?", (oldest.isoformat(),))
            if changes.updated and not self._same_boot(now):
                _put_fact(connection, "kept", now)

    def checkpoint(self, policy: SessionPolicy, now: Moment) -> None:
        """Write every session with its counters, and the present time."""
        with self.store.transaction() as connection:
            _write_sessions(connection, policy.sessions.values())
            _put_fact(connection, "kept", now)

    def _same_boot(self, now: Moment) -> bool:
        kept = self._fact("kept", Moment)
        return kept is not None and kept.boot == now.boot

    def drain_usage(self, acknowledged: int, limit: int) -> list[p.UsageEvent]:
        """Delete usage events up to ``acknowledged``; the next ``limit``."""
        if acknowledged:
            with self.store.transaction() as connection:
                connection.execute("DELETE FROM usage WHERE number <= ?", (acknowledged,))
                _put_fact(connection, "numbered", max(acknowledged, self._numbered()))
        rows = self.store.rows("SELECT body FROM usage ORDER BY number LIMIT ?", (min(limit, 5000),))
        return [msgspec.json.decode(row["body"], type=p.UsageEvent) for row in rows]

    def sealed(self, first: date, last: date) -> list[tuple[str, bytes]]:
        """(day, box) of the connection log, oldest first; both days included."""
        sql = "SELECT day, box FROM sealed WHERE day >= ? AND day <= ? ORDER BY number"
        return [(row["day"], row["box"]) for row in self.store.rows(sql, (first.isoformat(), last.isoformat()))]

    def truncate_wal(self) -> None:
        """Truncate the write-ahead log, so that no ended session's MAC stays on the disk."""
        self.store.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Truncate the write-ahead log and close."""
        self.truncate_wal()
        self.store.close()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write_sessions(connection: sqlite3.Connection, sessions: Iterable[Session]) -> None:
    rows = ((s.id, msgspec.json.encode(s)) for s in sessions)
    connection.executemany("INSERT INTO session VALUES (?,?) ON CONFLICT DO UPDATE SET body = excluded.body", rows)


def _write_used(connection: sqlite3.Connection, over: Iterable[Session], used: Mapping[str, float]) -> None:
    """The day's use of phones and accounts whose sessions ended."""
    names = {name for session in over for name in (session.phone, session.account)} & used.keys()
    rows = ((name, used[name]) for name in names)
    connection.executemany("INSERT INTO used VALUES (?,?) ON CONFLICT DO UPDATE SET seconds = excluded.seconds", rows)


def _write_usage(connection: sqlite3.Connection, usage: list[p.UsageEvent]) -> None:
    connection.executemany("INSERT INTO usage VALUES (?,?)", [(u.number, msgspec.json.encode(u)) for u in usage])


def _put_fact(connection: sqlite3.Connection, name: str, value: object) -> None:
    body = msgspec.json.encode(value)
    connection.execute("INSERT INTO fact VALUES (?,?) ON CONFLICT DO UPDATE SET body = excluded.body", (name, body))
