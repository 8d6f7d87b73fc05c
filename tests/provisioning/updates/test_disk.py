"""Each act on the disk is whole or not at all, for whoever looks in the middle of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.updates.disk import Disk


def seen_meanwhile(act: Callable[[int], None], look: Callable[[], object]) -> set[object]:
    """What a second thread sees while ``act`` is done 500 times."""
    ended, found = threading.Event(), set()

    def watch() -> None:
        while not ended.is_set():
            try:
                found.add(look())
            except OSError as error:
                found.add(type(error))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(500):
        act(number)
    ended.set()
    watcher.join()
    return found


def test_a_link_always_leads_to_the_old_or_the_new(tmp_path: Path) -> None:
    disk, link = Disk(), tmp_path / "current"
    slots = [Path("slots/a"), Path("slots/b")]
    disk.link(link, slots[0])
    assert seen_meanwhile(lambda n: disk.link(link, slots[n % 2]), link.readlink) <= set(slots)


def test_a_file_always_holds_the_old_or_the_new(tmp_path: Path) -> None:
    disk, file = Disk(), tmp_path / "trial.json"
    texts = [b"a" * 100_000, b"b" * 50_000]
    disk.write(file, texts[0])
    assert seen_meanwhile(lambda n: disk.write(file, texts[n % 2]), file.read_bytes) <= set(texts)


@pytest.mark.parametrize("left_behind", ["file", "link"])
def test_what_a_power_cut_left_beside_does_not_stand_in_the_way(tmp_path: Path, left_behind: str) -> None:
    beside = tmp_path / ".name.new"
    beside.symlink_to("nowhere") if left_behind == "link" else beside.write_text("half")
    if left_behind == "link":
        Disk().link(tmp_path / "name", Path("slots/a"))
        assert (tmp_path / "name").readlink() == Path("slots/a")
    else:
        Disk().write(tmp_path / "name", b"whole")
        assert (tmp_path / "name").read_bytes() == b"whole"


def test_emptying_makes_and_clears(tmp_path: Path) -> None:
    (tmp_path / "slot" / "deep").mkdir(parents=True)
    for _ in range(2):
        Disk().empty(tmp_path / "slot")
        assert list((tmp_path / "slot").iterdir()) == []


def test_removing_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    Disk().remove(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []
