"""The box's memory: SQLite that survives a power cut, with ordered migrations.

One writer connection behind a lock per database; WAL with synchronous=FULL, so a row that was committed is on the
card when the call returns (facts/kiosk_fleet_ux.md §4.3). May import: errors.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from device.errors import StoreError

Migration = Callable[[sqlite3.Connection], object]
"""One step of a schema, run once, in order, inside a transaction. Never edited after a release: add another."""


def statements(*sql: str) -> Migration:
    """A migration made of plain SQL statements."""

    def run(connection: sqlite3.Connection) -> None:
        for statement in sql:
            connection.execute(statement)

    return run


class Store:
    """One SQLite file. ``transaction`` commits and fsyncs when its block ends without an error, else rolls back."""

    def __init__(self, path: Path, migrations: Sequence[Migration]) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = _open(path)
            _check(self._connection, path)
            self._migrate(migrations)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(file=path.name, reason=str(error)) from error

    def _migrate(self, migrations: Sequence[Migration]) -> None:
        # BEGIN IMMEDIATE before reading the version: two processes may open a new file at the same moment.
        with self.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(migrations):
                raise StoreError(file=self.path.name, reason=f"written by a newer version ({version})")
            for number, migration in enumerate(migrations[version:], version + 1):
                migration(connection)
                connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction; nested blocks join the outer one."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        """All rows of a query; columns by name."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close the file; further use is an error."""
        with self._lock:
            self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    connection.row_factory = sqlite3.Row
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "journal_size_limit=1048576",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """A damaged file is told at the start, not in the middle of a visit."""
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise StoreError(file=path.name, reason=str(answer))
