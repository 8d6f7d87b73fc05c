"""The audit: an append-only list of enumerated events, each chained to the one before by SHA-256.

A line cannot be changed, dropped or put in between without ``verify`` noticing; the last hash goes to city hall with
the heartbeat so that a cut tail shows as well.
"""

from __future__ import annotations

import json
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from device.audit_chain import PRUNED, START, ChainEnd, ChainRow, last_old, link, start_of, walk
from device.clock import JST, Clock
from device.store import Migration, Store, statements

AUDIT_MIGRATIONS: tuple[Migration, ...] = (
    statements(
        "CREATE TABLE audit (sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL,"
        " facts TEXT NOT NULL, hash TEXT NOT NULL)"
    ),
)


class AuditLine(NamedTuple):
    """One event: its number from 1, ISO 8601 time in JST, name, facts and chain hash (hex)."""

    sequence: int
    at: str
    event: str
    facts: dict[str, object]
    hash: str


class AuditSink(Protocol):
    """What a room may do to the audit: add to it."""

    def record(self, event: str, **facts: object) -> None:
        """Write one enumerated event, fsynced. Raises KeyError for an event or fact that is not enumerated."""
        ...


def known_events() -> Mapping[str, Mapping[str, object]]:
    """The enumeration in audit_events.toml: event -> {meaning, facts}."""
    return tomllib.loads(Path(__file__).with_name("audit_events.toml").read_text("utf-8"))


class Audit:
    """The audit of one process's database."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._events = enumerated()

    def record(self, event: str, **facts: object) -> None:
        """See AuditSink."""
        text = self._facts(event, facts)
        with self._store.transaction() as connection:
            self._append(connection, event, text)

    def _facts(self, event: str, facts: Mapping[str, object]) -> str:
        return facts_text(self._events, event, facts)

    def _append(self, connection: sqlite3.Connection, event: str, text: str) -> None:
        at = self._clock.now().isoformat(timespec="milliseconds")
        last = connection.execute("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1").fetchone()
        end = ChainEnd(*last) if last else START
        digest = link(end.head, end.lines + 1, at, event, text)
        connection.execute("INSERT INTO audit VALUES (?,?,?,?,?)", (end.lines + 1, at, event, text, digest))

    def lines(self) -> list[AuditLine]:
        """Every line, oldest first."""
        rows = self._store.rows("SELECT * FROM audit ORDER BY sequence")
        return [AuditLine(r["sequence"], r["at"], r["event"], json.loads(r["facts"]), r["hash"]) for r in rows]

    def verify(self) -> str:
        """Walk the chain; the last hash. Raises AuditBroken with the first line that does not fit."""
        with self._store.transaction() as connection:
            return verify_chain(connection).head

    def prune(self, before: datetime) -> int:
        """Delete the lines older than ``before`` from the front; how many. A new line tells of it."""
        with self._store.transaction() as connection:
            rows = connection.execute("SELECT sequence, at FROM audit ORDER BY sequence")
            times: list[tuple[int, str]] = [(row[0], row[1]) for row in rows]
            until = last_old(times, before.astimezone(JST).isoformat(timespec="milliseconds"))
            if not until:
                return 0
            (head,) = connection.execute("SELECT hash FROM audit WHERE sequence = ?", (until,)).fetchone()
            count = sum(sequence <= until for sequence, _ in times)
            self._append(connection, PRUNED, self._facts(PRUNED, {"until": until, "head": head, "count": count}))
            connection.execute("DELETE FROM audit WHERE sequence <= ?", (until,))
            return count


def verify_chain(connection: sqlite3.Connection, newest: int | None = None) -> ChainEnd:
    """The end of the chain in an open database, every line checked, or as many of the newest. Raises AuditBroken."""
    if newest is not None:
        (last,) = connection.execute("SELECT coalesce(max(sequence), 0) FROM audit").fetchone()
        if (before := hash_at(connection, last - newest)) is not None:
            rows = _rows(connection, "WHERE sequence > ?", (last - newest,))
            return walk(rows, ChainEnd(last - newest, before))
    (first,) = connection.execute("SELECT coalesce(min(sequence), 1) FROM audit").fetchone()
    pruned = _rows(connection, "WHERE event = ?", (PRUNED,)) if first != 1 else iter(())
    return walk(_rows(connection), start_of(first, pruned))


def hash_at(connection: sqlite3.Connection, sequence: int) -> str | None:
    """The hash of one line; None when it is not there, or not any more."""
    found = connection.execute("SELECT hash FROM audit WHERE sequence = ?", (sequence,)).fetchone()
    return str(found[0]) if found else None


def facts_text(events: Mapping[str, frozenset[str]], event: str, facts: Mapping[str, object]) -> str:
    """Facts as they are chained. Raises KeyError for an event or fact that is not enumerated."""
    strange = facts.keys() - events[event]
    if strange:
        raise KeyError(f"{event}: {sorted(strange)}")
    return json.dumps(facts, sort_keys=True, default=str)


def enumerated() -> Mapping[str, frozenset[str]]:
    """Event -> the facts that it may carry."""
    return {name: frozenset(_names(entry["facts"])) for name, entry in known_events().items()}


def _rows(connection: sqlite3.Connection, where: str = "", parameters: tuple[object, ...] = ()) -> Iterator[ChainRow]:
    found = connection.execute(
        f"SELECT sequence, at, event, facts, hash FROM audit {where} ORDER BY sequence",  # noqa: S608 - our own words
        parameters,
    )
    return (ChainRow(*row) for row in found)


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []
