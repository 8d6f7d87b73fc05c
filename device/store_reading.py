"""Opens a database so that reading it leaves no trace: no new file, no migration, no write-ahead log of its own."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_HEADER_BYTES, _WAL = 20, 2
"""Byte 19 of the header, the read version, is 2 for a file with a write-ahead log (sqlite.org/fileformat2.html)."""


def connect_for_reading(path: Path, timeout: float = 5.0) -> sqlite3.Connection:
    """A connection that cannot write. Raises sqlite3.Error, OSError.

    SQLite makes the log's files even for a reader (sqlite.org/wal.html, "Read-Only Databases"), unless it is told that
    nobody writes: so it is, where no log lies beside, for then no process has the file open.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    at_rest = header[19:] == bytes([_WAL]) and not Path(f"{path}-wal").exists()
    options = "mode=ro&immutable=1" if at_rest else "mode=ro"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=timeout,
    )


def in_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A copy that may be changed, for what an older release wrote and this one reads with its own schema."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.backup(copy)
    connection.close()
    return copy
