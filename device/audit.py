"""The audit: an append-only list of enumerated events, each chained to the one before by SHA-256.

A line cannot be changed, dropped or put in between without ``verify`` noticing; the last hash goes to city hall with
the heartbeat so that a cut tail shows as well.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from device.clock import Clock
from device.errors import AuditBroken
from device.store import Migration, Store, statements

AUDIT_MIGRATIONS: tuple[Migration, ...] = (
    statements(
        "CREATE TABLE audit (sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL,"
        " facts TEXT NOT NULL, hash TEXT NOT NULL)"
    ),
)
_GENESIS = "0" * 64


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
        self._events = {name: frozenset(_names(entry["facts"])) for name, entry in known_events().items()}

    def record(self, event: str, **facts: object) -> None:
        """See AuditSink."""
        strange = facts.keys() - self._events[event]
        if strange:
            raise KeyError(f"{event}: {sorted(strange)}")
        at, text = self._clock.now().isoformat(timespec="milliseconds"), json.dumps(facts, sort_keys=True, default=str)
        with self._store.transaction() as connection:
            last = connection.execute("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1").fetchone()
            sequence, previous = (last["sequence"] + 1, last["hash"]) if last else (1, _GENESIS)
            digest = _link(previous, sequence, at, event, text)
            connection.execute("INSERT INTO audit VALUES (?,?,?,?,?)", (sequence, at, event, text, digest))

    def lines(self) -> list[AuditLine]:
        """Every line, oldest first."""
        rows = self._store.rows("SELECT * FROM audit ORDER BY sequence")
        return [AuditLine(r["sequence"], r["at"], r["event"], json.loads(r["facts"]), r["hash"]) for r in rows]

    def verify(self) -> str:
        """Walk the chain; the last hash. Raises AuditBroken with the first line that does not fit."""
        previous = _GENESIS
        for place, row in enumerate(self._store.rows("SELECT * FROM audit ORDER BY sequence"), 1):
            expected = _link(previous, place, row["at"], row["event"], row["facts"])
            if row["sequence"] != place or row["hash"] != expected:
                raise AuditBroken(sequence=place)
            previous = expected
        return previous


def _link(previous: str, sequence: int, at: str, event: str, facts: str) -> str:
    return hashlib.sha256("\n".join([previous, str(sequence), at, event, facts]).encode()).hexdigest()


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []
