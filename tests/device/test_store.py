"""The store keeps what it said it kept, and tells damage at the start."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import StoreError
from device.migrations import Migration, additive, announced, as_announced_applied, schema_of, statements
from device.store import Store

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


def newer(tmp_path: Path, *later: Migration) -> Path:
    """A file that a newer release has used and left."""
    store = Store(tmp_path / "a.db", [FIRST, *later])
    with store.transaction() as connection:
        connection.execute("INSERT INTO seen (what) VALUES ('by the newer')")
    store.close()
    return tmp_path / "a.db"


def test_an_older_release_goes_on_beside_what_a_newer_one_only_added(tmp_path: Path) -> None:
    added = additive("CREATE TABLE note (what TEXT REFERENCES seen (what) ON DELETE CASCADE)")
    file = newer(tmp_path, added)
    old = Store(file, [FIRST])
    with old.transaction() as connection:
        connection.execute("INSERT INTO seen VALUES ('by the older')")
    old.close()
    again = Store(file, [FIRST, added])
    assert [row[0] for row in again.rows("SELECT what FROM seen")] == ["by the newer", "by the older"]
    assert again.rows("SELECT * FROM note") == []


def test_one_changing_step_among_the_added_is_enough_to_refuse(tmp_path: Path) -> None:
    file = newer(tmp_path, additive("CREATE TABLE note (x)"), SECOND, additive("CREATE TABLE more (x)"))
    with pytest.raises(StoreError, match="newer"):
        Store(file, [FIRST])


def test_a_release_goes_on_with_the_step_that_it_announced(tmp_path: Path) -> None:
    coming = announced("ALTER TABLE seen  ADD COLUMN at TEXT")  # spaces are no difference
    before = Store(tmp_path / "a.db", [FIRST, coming])
    assert [row["name"] for row in before.rows("PRAGMA table_info(seen)")] == ["what"]
    before.close()
    file = newer(tmp_path, SECOND)
    assert len(Store(file, [FIRST, coming]).rows("SELECT * FROM seen")) == 1


def test_another_step_under_the_same_number_is_refused(tmp_path: Path) -> None:
    """A release was taken back after it had migrated; the next one may not give its number to something else."""
    file = newer(tmp_path, additive("CREATE TABLE note (x)"))
    with pytest.raises(StoreError, match="migration 2 is another one"):
        Store(file, [FIRST, additive("CREATE TABLE other (x)")])
    with pytest.raises(StoreError, match="migration 2 is another one"):
        Store(file, [FIRST, announced("CREATE TABLE other (x)")])


def test_a_file_from_before_the_steps_were_noted_is_taken_and_noted(tmp_path: Path) -> None:
    Store(tmp_path / "a.db", [FIRST, SECOND]).close()
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("DROP TABLE schema_step")
    database.close()
    store = Store(tmp_path / "a.db", [FIRST, SECOND])
    assert [row["number"] for row in store.rows("SELECT number FROM schema_step ORDER BY number")] == [1, 2]


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE seen ADD COLUMN at TEXT",
        "CREATE UNIQUE INDEX one ON seen (what)",
        "CREATE TRIGGER t AFTER INSERT ON seen BEGIN SELECT 1; END",
        "CREATE TABLE note (what TEXT REFERENCES seen (what))",
        "DROP TABLE seen",
        "UPDATE seen SET what = ''",
    ],
)
def test_what_older_code_would_stumble_over_is_not_additive(sql: str) -> None:
    with pytest.raises(ValueError, match="not additive"):
        additive(sql)


def test_what_is_announced_stands_last() -> None:
    with pytest.raises(ValueError, match="stand last"):
        schema_of([FIRST, announced("x"), SECOND])
    assert schema_of(as_announced_applied([FIRST, announced("x"), announced("y")])) == (3, 3, 3)


KINDS = {"c": statements, "a": additive, "n": announced}


@given(st.text("ca", min_size=1, max_size=5), st.text("ca", max_size=4), st.integers(0, 3))
def test_a_file_opens_in_an_older_release_when_its_schema_says_so_and_never_else(old: str, new: str, told: int) -> None:
    """old: the kinds of the older release's steps; new: those the newer one adds; told: how many were announced."""
    steps = [KINDS[kind](f"CREATE TABLE t{number} (x)") for number, kind in enumerate(old + new)]
    coming = [announced(*step.sql) for step in steps[len(old) : len(old) + told]]
    older = [*steps[: len(old)], *coming]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "a.db")
        Store(file, steps).close()
        with ExitStack() as stack:
            if not schema_of(steps).goes_back_to(schema_of(older)):
                stack.enter_context(pytest.raises(StoreError))
            Store(file, older).close()


def test_a_reader_changes_no_file_and_sees_what_an_older_release_wrote(tmp_path: Path) -> None:
    file = tmp_path / "box.db"
    older = [statements("CREATE TABLE resident (name TEXT)", "INSERT INTO resident VALUES ('x')")]
    Store(file, older).close()
    before = file.read_bytes()
    newer = [*older, statements("ALTER TABLE resident ADD COLUMN age INTEGER DEFAULT 7")]
    reader = Store.for_reading(file, newer)
    assert [tuple(row) for row in reader.rows("SELECT * FROM resident")] == [("x", 7)]
    assert ([path.name for path in tmp_path.iterdir()], file.read_bytes()) == (["box.db"], before)
    reader.close()


def test_a_reader_cannot_write_and_makes_no_file(tmp_path: Path) -> None:
    file = tmp_path / "box.db"
    with pytest.raises(StoreError):
        Store.for_reading(file, [])
    assert list(tmp_path.iterdir()) == []
    Store(file, [statements("CREATE TABLE one (n INTEGER)")]).close()
    reader = Store.for_reading(file, [statements("CREATE TABLE one (n INTEGER)")])
    with pytest.raises(sqlite3.OperationalError, match="readonly"), reader.transaction() as connection:
        connection.execute("INSERT INTO one VALUES (1)")
    reader.close()


def test_a_reader_sees_what_a_process_has_just_committed(tmp_path: Path) -> None:
    schema = [statements("CREATE TABLE one (n INTEGER)")]
    writer = Store(tmp_path / "box.db", schema)
    with writer.transaction() as connection:
        connection.execute("INSERT INTO one VALUES (1)")
    reader = Store.for_reading(tmp_path / "box.db", schema)
    assert reader.rows("SELECT n FROM one")[0]["n"] == 1
    reader.close()
    writer.close()
