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
from captive_portal.gate.connection_log.chain import (
    FIRST_PREVIOUS,
    ChainLink,
    Record,
    Signer,
    Statement,
    numbers,
    unsigned_digest,
)
from captive_portal.gate.connection_log.entry import ConnectionLogEntry
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
    additive("CREATE TABLE sealed_link (number INTEGER PRIMARY KEY, body BLOB NOT NULL)"),
)
"""sealed_link: by the number in ``sealed``; a row without one was written by a release without a chain."""


@dataclass(slots=True, frozen=True)
class LogHead:
    """Number and hash of the last link of the connection log. Stored as JSON under these field names."""

    number: int
    hash: str


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

    def __init__(self, path: Path, log: ConnectionLogSettings | None = None, box: str = "") -> None:
        """box: its name, which the connection log is bound to."""
        self._box = box
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
                self._append_to_log(connection, self._sealer, changes.log_entries, now.wall.date())
            if changes.blocked_phones:
                _put_fact(connection, "blocked", list(policy.blocked_phones))  # who; an older release reads this alone
                _put_fact(connection, "bars", policy.blocked_phones.records())  # since when and where
            if changes.disaster:
                _put_fact(connection, "disaster", policy.disaster)
            if changes.day:
                _put_fact(connection, "salt", salt)
                oldest = now.wall.date() - timedelta(days=self._log.keep_days)
                self._delete_old_log(connection, oldest)
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

    def _append_to_log(
        self, connection: sqlite3.Connection, sealer: LogSealer, entries: list[ConnectionLogEntry], day: date
    ) -> None:
        head = self.log_head()
        record = self.log_signer().link(
            self._box, day.isoformat(), (head.number, head.hash), lambda bound_to: sealer.seal(entries, bound_to)
        )
        if record.link is None:
            return
        row = connection.execute("INSERT INTO sealed (day, box) VALUES (?,?)", (record.day, record.box)).lastrowid
        # A link of the same number is left over where a release without a chain deleted its row.
        connection.execute("INSERT OR REPLACE INTO sealed_link VALUES (?,?)", (row, msgspec.json.encode(record.link)))
        _put_fact(connection, "log_head", LogHead(record.link.number, record.link.hash()))

    def sealed(self, first: date, last: date) -> list[Record]:
        """The connection log, oldest first; both days included."""
        sql = (
            "SELECT day, box, body FROM sealed LEFT JOIN sealed_link USING (number)"
            " WHERE day >= ? AND day <= ? ORDER BY number"
        )
        rows = self.store.rows(sql, (first.isoformat(), last.isoformat()))
        return [
            Record(row["day"], row["box"], msgspec.json.decode(row["body"], type=ChainLink) if row["body"] else None)
            for row in rows
        ]

    def statement(self, first: date, last: date, at: datetime) -> Statement:
        """What the log should hold of these days, signed: all between the last link before and the first one after."""
        head, signer, day = self.log_head(), self.log_signer(), timedelta(days=1)
        before = numbers(self.sealed(date.min, first - day))[1] if first > date.min else 0
        after = numbers(self.sealed(last + day, date.max))[0] if last < date.max else 0
        low, high = (before or self._log_deleted()) + 1, (after or head.number + 1) - 1
        low, high = (low, high) if low <= high else (0, 0)
        return signer.state(
            Statement(
                box=self._box,
                signer=signer.public,
                from_day=first.isoformat(),
                to_day=last.isoformat(),
                first=low,
                last=high,
                head_number=head.number,
                head=head.hash,
                unsigned=unsigned_digest(self.sealed(first, last)),
                taken_at=at.isoformat(timespec="seconds"),
            )
        )

    def _delete_old_log(self, connection: sqlite3.Connection, oldest: date) -> None:
        """Delete what is older, and note up to which number."""
        last = numbers(self.sealed(date.min, oldest - timedelta(days=1)))[1]
        if last:
            _put_fact(connection, "log_deleted", last)
        connection.execute("DELETE FROM sealed WHERE day < ?", (oldest.isoformat(),))
        connection.execute("DELETE FROM sealed_link WHERE number NOT IN (SELECT number FROM sealed)")

    def _log_deleted(self) -> int:
        return self._fact("log_deleted", int) or 0

    def log_signer(self) -> Signer:
        """The key of the connection log's chain, generated once on this box."""
        key = self._fact("log_signing_key", bytes)
        if key is None:
            key = secrets.token_bytes(32)
            with self.store.transaction() as connection:
                _put_fact(connection, "log_signing_key", key)
                _put_fact(connection, "log_signer", Signer(key).public)
        return Signer(key)

    def log_head(self) -> LogHead:
        """The end of the chain."""
        return self._fact("log_head", LogHead) or LogHead(0, FIRST_PREVIOUS)

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
