"""The store keeps what it said it kept, and tells damage at the start."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from device.errors import StoreError
from device.store import Store, statements

FIRST = statements("CREATE TABLE seen (what TEXT)")
SECOND = statements("ALTER TABLE seen ADD COLUMN at TEXT")


def test_migrations_run_once_and_in_order(tmp_path: Path) -> None:
    Store(tmp_path / "a.db", [FIRST]).close()
    store = Store(tmp_path / "a.db", [FIRST, SECOND])
    with store.transaction() as connection:
        connection.execute("INSERT INTO seen VALUES ('card', 'now')")
    store.close()
    assert [tuple(r) for r in Store(tmp_path / "a.db", [FIRST, SECOND]).rows("SELECT * FROM seen")] == [("card", "now")]


def test_a_failed_block_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.db", [FIRST])
    half_done = statements("INSERT INTO seen VALUES ('card')", "NOT SQL")
    with pytest.raises(sqlite3.OperationalError), store.transaction() as connection:
        half_done(connection)
    assert store.rows("SELECT * FROM seen") == []


def test_a_failed_migration_leaves_the_version_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Store(tmp_path / "a.db", [FIRST, statements("CREATE TABLE other (x)", "NOT SQL")])
    assert Store(tmp_path / "a.db", [FIRST]).rows("SELECT name FROM sqlite_master WHERE name='other'") == []


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "a.db", [FIRST, SECOND]).close()
    with pytest.raises(StoreError, match="newer"):
        Store(tmp_path / "a.db", [FIRST])


def test_a_damaged_file_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    with pytest.raises(StoreError):
        Store(tmp_path / "a.db", [FIRST])


def test_a_committed_row_outlives_kill_nine(tmp_path: Path) -> None:
    script = (
        "import os,signal,sys;from pathlib import Path;from device.store import Store,statements;"
        "s=Store(Path(sys.argv[1]),[statements('CREATE TABLE seen (what TEXT)')])\n"
        "with s.transaction() as c: c.execute(\"INSERT INTO seen VALUES ('paid')\")\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.db")], check=False, env=dict(os.environ))
    assert run.returncode == -signal.SIGKILL
    assert len(Store(tmp_path / "a.db", [FIRST]).rows("SELECT * FROM seen")) == 1


def test_two_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    stores = [Store(tmp_path / "a.db", [FIRST, SECOND]) for _ in range(3)]
    assert all(isinstance(s.rows("SELECT * FROM seen"), list) for s in stores)


def test_rows_are_deleted_for_good(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.db", [FIRST])
    with store.transaction() as connection:
        connection.execute("INSERT INTO seen VALUES ('SECRETWORD')")
    with store.transaction() as connection:
        connection.execute("DELETE FROM seen")
    store.close()
    assert sqlite3.connect(tmp_path / "a.db").execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert b"SECRETWORD" not in (tmp_path / "a.db").read_bytes()
