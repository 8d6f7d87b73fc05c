"""Writing archives."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from device.clock import HeldClock
from device.files import temporary_name
from provisioning.backup.age import Identity
from provisioning.backup.backup_writer import BackupWriter, last_backup
from provisioning.backup.contents import archive_name
from provisioning.backup.errors import CannotWrite, StateMissing
from provisioning.backup.leftovers import claim
from provisioning.backup.snapshot import MAX_IN_MEMORY, working_folder
from tests.provisioning.backup.conftest import BOX, SIGNER, unpacked


def test_an_archive_holds_every_room_and_the_settings(backup: BackupWriter, identity: Identity, tmp_path: Path) -> None:
    written = backup.to_file(tmp_path / "a.age")
    manifest = unpacked(written.path, identity, tmp_path / "out")
    names = {kept.path for kept in manifest.files}
    assert names == {
        "state/portal/portal.db",
        "state/portal/key",
        "state/gate/sessions.db",
        "state/stats/stats.db",
        "settings/site.toml",
    }
    assert manifest == written.manifest
    assert (written.path.stat().st_mode & 0o777) == 0o600


def test_nothing_of_the_box_can_be_read_in_the_archive(backup: BackupWriter, tmp_path: Path) -> None:
    body = backup.to_file(tmp_path / "a.age").path.read_bytes()
    assert not any(word in body for word in (b"TEST-TOKEN", b"site.toml", b"SQLite format", b"manifest"))


def test_rows_that_only_stand_in_the_write_ahead_log_are_kept(
    backup: BackupWriter, box: Path, identity: Identity, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(box / "gate" / "sessions.db")) as writer:
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("INSERT INTO row VALUES ('only in the log')")
        writer.commit()
        unpacked(backup.to_file(tmp_path / "a.age").path, identity, tmp_path / "out")
    with closing(sqlite3.connect(tmp_path / "out" / "state" / "gate" / "sessions.db")) as copy:
        assert copy.execute("SELECT count(*) FROM row").fetchone() == (2,)


def test_a_copy_taken_while_others_write_is_one_moment(
    backup: BackupWriter, box: Path, identity: Identity, tmp_path: Path
) -> None:
    stop = threading.Event()

    def write_pairs() -> None:
        with closing(sqlite3.connect(box / "stats" / "stats.db", timeout=10)) as writer:
            while not stop.is_set():
                writer.execute("INSERT INTO row VALUES ('one')")
                writer.execute("INSERT INTO row VALUES ('two')")
                writer.commit()

    thread = threading.Thread(target=write_pairs)
    thread.start()
    try:
        for number in range(3):
            unpacked(backup.to_file(tmp_path / f"{number}.age").path, identity, tmp_path / str(number))
    finally:
        stop.set()
        thread.join()
    for number in range(3):
        with closing(sqlite3.connect(tmp_path / str(number) / "state" / "stats" / "stats.db")) as copy:
            counts = dict(copy.execute("SELECT body, count(*) FROM row WHERE typeof(body)='text' GROUP BY body"))
            assert counts.get("one", 0) == counts.get("two", 0)
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_folder_gets_one_more_and_loses_the_oldest(backup: BackupWriter, clock: HeldClock, tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    folder.mkdir()
    for _ in range(4):
        last = backup.to_folder(folder, keep=2)
        clock.advance(3600)
    assert last.removed == ("hiroba-TEST-box-1-20261122T190000Z.backup",)
    assert sorted(path.name for path in folder.iterdir()) == [
        "hiroba-TEST-box-1-20261122T200000Z.backup",
        "hiroba-TEST-box-1-20261122T210000Z.backup",
    ]


def test_a_medium_that_is_not_there_leaves_nothing_behind_and_no_note(
    backup: BackupWriter, box: Path, tmp_path: Path
) -> None:
    with pytest.raises(CannotWrite):
        backup.to_folder(tmp_path / "not-plugged-in", keep=2)
    assert last_backup(box) is None


def test_the_note_says_when_the_last_archive_was_written(backup: BackupWriter, box: Path, tmp_path: Path) -> None:
    written = backup.to_file(tmp_path / "a.age")
    note = last_backup(box)
    assert note is not None
    assert (note.at, note.archive, note.bytes) == ("2026-11-23T03:00:00+09:00", written.manifest.archive, written.bytes)


def test_plain_copies_are_gone_afterwards_wherever_they_were(box: Path, tmp_path: Path) -> None:
    for shared in (tmp_path, tmp_path / "no such folder"):
        with working_folder(box, shared) as work:
            (work / "plain").write_bytes(b"x")
        assert not work.exists()


def test_a_box_without_records_has_nothing_to_keep(backup: BackupWriter, tmp_path: Path, clock: HeldClock) -> None:
    (tmp_path / "blank").mkdir()
    empty = BackupWriter(
        tmp_path / "blank", tmp_path / "none.toml", "b", Identity.make().recipient(), clock, signer=SIGNER
    )
    with pytest.raises(StateMissing):
        empty.to_file(tmp_path / "a.age")


def test_what_a_power_cut_left_on_the_medium_and_beside_the_state_is_gone_next_night(
    backup: BackupWriter, box: Path, tmp_path: Path
) -> None:
    part, plain = tmp_path / temporary_name(archive_name(BOX, "20200101T000000Z")), box / "backup" / "hiroba-backup-x"
    part.write_bytes(b"half")
    (plain / "state").mkdir(parents=True)
    (plain / "state" / "key").write_bytes(b"TEST")
    other = tmp_path / temporary_name(archive_name("other", "20200101T000000Z"))
    other.write_bytes(b"half")
    backup.to_folder(tmp_path, keep=2)
    assert (part.exists(), plain.exists(), other.exists()) == (False, False, True)


def test_what_is_being_written_is_left_alone(backup: BackupWriter, box: Path, tmp_path: Path) -> None:
    part = tmp_path / temporary_name(archive_name(BOX, "20200101T000000Z"))
    with working_folder(box, tmp_path / "none") as work, part.open("wb") as file:
        claim(file.fileno())
        (work / "plain").write_bytes(b"x")
        backup.to_folder(tmp_path, keep=2)
        assert part.exists()
        assert (work / "plain").exists()


def test_more_than_the_unit_may_hold_in_memory_is_copied_beside_the_state(box: Path, tmp_path: Path) -> None:
    with (box / "large").open("wb") as large:
        large.truncate(2 * MAX_IN_MEMORY)
    with working_folder(box, tmp_path) as work:
        assert work.parent == box / "backup"
