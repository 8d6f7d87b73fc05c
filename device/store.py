"""The box's databases: SQLite that survives a power cut, with ordered migrations and a way back from them.

One writer connection behind a lock per database; WAL with synchronous=FULL, so a row that was committed is on the
card when the call returns (docs/sources.md#sqlite-on-a-card).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from device.errors import StoreError
from device.migrations import Migration, additive, announced, schema_of, statements
from device.store_reading import connect_for_reading, in_memory

__all__ = ["Migration", "Store", "additive", "announced", "statements"]

SMALL_PAGE = 1024
"""Bytes of a page in files that many short transactions change, each a few rows: half is written of what SQLite's own
4,096 cost (provisioning/bench/disk_writes.py). Larger files read better with those."""
_STEPS = "schema_step"
"""Table of the migrations that a file has had: number, whether additive, SHA-256 of its statements."""


class Store:
    """One SQLite file. ``transaction`` commits and fsyncs when its block ends without an error, else rolls back.

    A file that a newer release migrated is taken when all it has had beyond ours was additive, or is announced here.
    page_bytes: of a file that is made anew. brief: for processes that end at once, each of which would make and delete
    a write-ahead log; a rollback journal that is kept and written over serves them instead.
    """

    def __init__(
        self, path: Path, migrations: Sequence[Migration], *, page_bytes: int = 4096, brief: bool = False
    ) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = _open(path, page_bytes, "PERSIST" if brief else "WAL")
            _check(self._connection, path)
            self._migrate(migrations)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(file=path.name, reason=str(error)) from error

    @classmethod
    def for_reading(cls, path: Path, migrations: Sequence[Migration]) -> Store:
        """The file at ``path`` as it is, for commands that only show: nothing is written to the disk, and the schema of
        an older release is brought up to date in memory. Raises StoreError, also when there is no such file.
        """
        store = cls.__new__(cls)
        store.path, store._lock = path, threading.RLock()
        try:
            connection = connect_for_reading(path)
            if connection.execute("PRAGMA user_version").fetchone()[0] < schema_of(migrations).version:
                connection = in_memory(connection)
            connection.row_factory = sqlite3.Row
            store._connection = connection
            _check(connection, path)
            store._bring_up_to_date(migrations)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(file=path.name, reason=str(error)) from error
        return store

    def _bring_up_to_date(self, migrations: Sequence[Migration]) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        self._compare(self._connection, version, migrations)
        for migration in migrations[version : schema_of(migrations).version]:
            migration.run(self._connection)

    def _migrate(self, migrations: Sequence[Migration]) -> None:
        # BEGIN IMMEDIATE before reading the version: two processes may open a new file at the same moment.
        with self.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            ours = schema_of(migrations)
            self._compare(connection, version, migrations)
            for number, migration in enumerate(migrations[version : ours.version], version + 1):
                migration.run(connection)
                connection.execute(f"PRAGMA user_version = {number}")
            _note(connection, migrations[: max(version, ours.version)])

    def _compare(self, connection: sqlite3.Connection, version: int, migrations: Sequence[Migration]) -> None:
        """Raises StoreError when a file has had what this release does not know, or something else by its number."""
        steps = _steps(connection)
        beyond = [n for n in range(len(migrations) + 1, version + 1) if not steps.get(n, (False, ""))[0]]
        if beyond:
            raise StoreError(file=self.path.name, reason=f"written by a newer version ({version})")
        for number, migration in enumerate(migrations, 1):
            if number in steps and steps[number][1] != migration.sha256:
                raise StoreError(file=self.path.name, reason=f"migration {number} is another one here")

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


def _open(path: Path, page_bytes: int, journal: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    connection.row_factory = sqlite3.Row
    for pragma in (
        f"page_size={page_bytes}",
        f"journal_mode={journal}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        # Room for the 1,000 pages after which SQLite tidies up: the log is then written over in place, which costs the
        # card little more than half of what it costs to let it grow anew each time (provisioning/bench/disk_writes.py).
        "journal_size_limit=4259840",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """A damaged file is told at the start, not in the middle of a visit."""
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise StoreError(file=path.name, reason=str(answer))


def _steps(connection: sqlite3.Connection) -> dict[int, tuple[bool, str]]:
    """Number -> (additive, SHA-256) of what the file has had; nothing for a file from before these were noted."""
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE type='table' AND name=?", (_STEPS,)).fetchone()
    rows = connection.execute(f"SELECT number, additive, sha256 FROM {_STEPS}").fetchall() if there else []  # noqa: S608 - our own constant
    return {row[0]: (bool(row[1]), row[2]) for row in rows}


def _note(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    missing = [n for n in range(1, len(migrations) + 1) if n not in _steps(connection)]
    if not missing:
        return
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {_STEPS}"
        " (number INTEGER PRIMARY KEY, additive INTEGER NOT NULL, sha256 TEXT NOT NULL)"
    )
    rows = [(n, migrations[n - 1].is_additive, migrations[n - 1].sha256) for n in missing]
    connection.executemany(f"INSERT INTO {_STEPS} (number, additive, sha256) VALUES (?,?,?)", rows)  # noqa: S608 - our own constant
