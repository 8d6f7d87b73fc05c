"""One process a state folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.process_lock import LOCK_FILE, AlreadyRunning, take_process_lock


def test_a_second_process_is_told_who_the_first_is(tmp_path: Path) -> None:
    held = take_process_lock(tmp_path / "kiosk", "kiosk")
    with pytest.raises(AlreadyRunning) as refused:
        take_process_lock(tmp_path / "kiosk", "kiosk", wait=0)
    assert refused.value.facts == {"process": "kiosk", "folder": tmp_path / "kiosk", "pid": str(os.getpid())}
    os.close(held)


def test_the_lock_goes_with_its_process_and_not_with_its_file(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        take_process_lock(tmp_path, "kiosk")
        os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / LOCK_FILE).read_text() == f"{child}\n"
    os.close(take_process_lock(tmp_path, "kiosk"))


def test_a_forked_worker_keeps_the_lock_until_it_ends(tmp_path: Path) -> None:
    held = take_process_lock(tmp_path, "issuer")
    readable, writable = os.pipe()
    worker = os.fork()
    if not worker:
        os.read(readable, 1)
        os._exit(0)
    os.close(held)
    with pytest.raises(AlreadyRunning):
        take_process_lock(tmp_path, "issuer", wait=0)
    os.write(writable, b"1")  # from now on it ends, and a start waits for that
    os.close(take_process_lock(tmp_path, "issuer", wait=60))
    os.waitpid(worker, 0)


def test_folders_have_their_own_locks_and_the_mode_that_is_asked_for(tmp_path: Path) -> None:
    locks = [take_process_lock(tmp_path / name, name, mode=0o711) for name in ("gate", "portal")]
    assert (tmp_path / "gate").stat().st_mode & 0o777 == 0o711
    for number in locks:
        os.close(number)
