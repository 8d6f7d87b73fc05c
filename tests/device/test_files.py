"""A file is the old one or the new one, for a reader, after a kill and after a power cut, and never open too wide."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.files import (
    LocalFileSystem,
    Owner,
    atomic_symlink,
    atomic_write,
    atomic_writer,
    create_once,
    temporary_name,
)
from tests.device.power_cut import CutMedium, PowerCut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILE = Path("state.json")
MODES = st.sampled_from([0o600, 0o640, 0o644, 0o400, 0o444])
MAX_ACTS = 6
"""More than a write has."""


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@given(st.none() | st.binary(), st.binary(), st.integers(0, MAX_ACTS), st.data())
def test_a_power_cut_leaves_the_old_content_or_the_new(
    old: bytes | None, new: bytes, cut_at: int, data: st.DataObject
) -> None:
    medium, ended = CutMedium(cut_at, FILE, old), False
    with suppress(PowerCut):
        atomic_write(FILE, new, mode=0o600, file_system=medium)
        ended = True
    found = medium.after_power_cut(FILE, lambda most: data.draw(st.integers(0, most)))
    assert found in ({new} if ended else {old, new})


@given(st.none() | st.binary(), st.binary(), st.integers(0, MAX_ACTS), st.data())
def test_what_is_made_once_is_whole_or_not_there_after_a_power_cut(
    old: bytes | None, new: bytes, cut_at: int, data: st.DataObject
) -> None:
    medium, made = CutMedium(cut_at, FILE, old), None
    with suppress(PowerCut):
        made = create_once(FILE, new, mode=0o600, file_system=medium)
    found = medium.after_power_cut(FILE, lambda most: data.draw(st.integers(0, most)))
    assert found in ({None: {old, new} if old is None else {old}, True: {new}, False: {old}}[made])


def test_the_medium_shows_what_a_write_without_sync_loses() -> None:
    medium = CutMedium(MAX_ACTS, FILE, b"old")
    atomic_write(FILE, b"new", mode=0o600, durable=False, file_system=medium)
    assert medium.after_power_cut(FILE, lambda most: min(most, 1)) == b"n"


def test_an_exception_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    atomic_write(file, b"old", mode=0o600)

    def broken() -> None:
        with atomic_writer(file, mode=0o600) as fresh:
            fresh.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"old", [file])


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
@given(old=MODES, mode=MODES)
def test_the_mode_is_the_one_asked_for(
    tmp_path_factory: pytest.TempPathFactory, durable: bool, mask: int, old: int, mode: int
) -> None:
    file = tmp_path_factory.mktemp("modes") / "file"
    with umask(mask):
        atomic_write(file, b"old", mode=old, durable=durable)
        atomic_write(file, b"new", mode=mode, durable=durable)
    assert (file.read_bytes(), mode_of(file)) == (b"new", mode)


@given(mode=MODES)
def test_at_no_moment_is_a_file_open_wider_than_asked(tmp_path_factory: pytest.TempPathFactory, mode: int) -> None:
    folder, seen = tmp_path_factory.mktemp("wide"), set()

    def look(name: str, _arguments: object) -> None:
        if name.startswith("os.") or name == "open":
            for file in [folder / temporary_name("file"), folder / "file"]:
                with suppress(FileNotFoundError):
                    seen.add(mode_of(file))

    with umask(0), looking(look):
        atomic_write(folder / "file", b"secret", mode=mode)
    assert mode in seen
    assert [wider for wider in seen if wider & ~mode] == []


@contextmanager
def looking(look: object) -> Iterator[None]:
    """Call ``look`` at each act on files that Python announces to its audit hooks."""
    active = [True]

    def hook(name: str, arguments: object) -> None:
        if active and threading.current_thread() is threading.main_thread():
            active.clear()  # what the look itself does is not looked at
            look(name, arguments)  # type: ignore[operator]
            active.append(True)

    sys.addaudithook(hook)
    try:
        yield
    finally:
        active.clear()


def test_a_reader_sees_one_of_many_writers_whole(tmp_path: Path) -> None:
    file, texts = tmp_path / "file", [bytes([letter]) * 50_000 for letter in b"abcd"]
    atomic_write(file, texts[0], mode=0o600)

    def write(text: bytes) -> None:
        for _ in range(50):
            atomic_write(file, text, mode=0o600, durable=False)

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    seen = set()
    while any(thread.is_alive() for thread in threads):
        seen.add(file.read_bytes())
    assert seen <= set(texts)
    assert list(tmp_path.iterdir()) == [file]


def test_the_first_of_many_makers_wins(tmp_path: Path) -> None:
    file, made = tmp_path / "key", dict[bytes, bool]()
    keys = [bytes([number]) * 32 for number in range(8)]
    threads = [
        threading.Thread(target=lambda key=key: made.update({key: create_once(file, key, mode=0o600)})) for key in keys
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [key for key, first in made.items() if first] == [file.read_bytes()]
    assert list(tmp_path.iterdir()) == [file]


_WRITER = """
import sys; from pathlib import Path; from device.files import atomic_write
print("ready", flush=True)
while True:
    for letter in b"ab": atomic_write(Path(sys.argv[1]), bytes([letter]) * 300_000, mode=0o600, durable=False)
"""


def test_a_killed_writer_leaves_a_whole_file_and_the_next_one_tidies(tmp_path: Path) -> None:
    file = tmp_path / "file"
    atomic_write(file, b"a" * 300_000, mode=0o600)
    for milliseconds in range(1, 13):
        with subprocess.Popen([sys.executable, "-c", _WRITER, str(file)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            with suppress(subprocess.TimeoutExpired):
                writer.wait(milliseconds / 1000)
            writer.send_signal(signal.SIGKILL)
        assert file.read_bytes() in (b"a" * 300_000, b"b" * 300_000)
    (tmp_path / temporary_name("file")).write_bytes(b"half")
    atomic_write(file, b"new", mode=0o600)
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_being_written_is_not_taken_for_an_abandoned_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with atomic_writer(file, mode=0o600) as slow:
        slow.write(b"slow")
        atomic_write(file, b"quick", mode=0o600)
        assert file.read_bytes() == b"quick"
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"slow", [file])


def test_a_link_laid_in_the_way_is_not_followed(tmp_path: Path) -> None:
    victim, file = tmp_path / "victim", tmp_path / "file"
    (tmp_path / temporary_name("file")).symlink_to(victim)
    atomic_write(file, b"new", mode=0o600)
    assert file.read_bytes() == b"new"
    assert not victim.exists()


class NoSecondNames(LocalFileSystem):
    """FAT."""

    def link(self, fresh: Path, path: Path) -> None:
        class Refusing(type(path)):  # type: ignore[misc]
            def hardlink_to(self, _target: object) -> None:
                raise PermissionError(1, "Operation not permitted")

        super().link(fresh, Refusing(path))


def test_a_medium_without_second_names_has_files_made_once_too(tmp_path: Path) -> None:
    file = tmp_path / "key"
    assert create_once(file, b"first", mode=0o600, file_system=NoSecondNames())
    assert not create_once(file, b"second", mode=0o600, file_system=NoSecondNames())
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"first", [file])


def test_a_link_leads_to_the_new_target_and_leaves_nothing_beside(tmp_path: Path) -> None:
    for target in ("slots/a", "slots/b"):
        atomic_symlink(tmp_path / "current", Path(target))
        assert (tmp_path / "current").readlink() == Path(target)
    assert list(tmp_path.iterdir()) == [tmp_path / "current"]


def test_a_file_that_cannot_have_its_owner_leaves_no_file_and_no_lock_behind(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(OverflowError):
            atomic_write(tmp_path / "state", b"x", mode=0o600, owner=Owner(2**40))
    assert list(tmp_path.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("write", [atomic_write, create_once])
def test_no_file_takes_the_place_of_a_pipe_a_socket_or_a_device(
    tmp_path: Path, write: Callable[..., bool | None]
) -> None:
    pipe, listener = tmp_path / "pipe", tmp_path / "socket"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(listener))
        for special in (pipe, listener, Path("/dev/stdout"), Path("/dev/null")):
            before = special.lstat()
            with suppress(OSError):
                assert write(special, b"x", mode=0o600) is False
            assert special.lstat().st_ino == before.st_ino
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe", "socket"]


def test_trouble_is_told_by_the_name_that_was_asked_for(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "file", tmp_path / ("a" * 252)):
        with pytest.raises(OSError) as caught:  # noqa: PT011 - which one is not what this is about
            atomic_write(path, b"x", mode=0o600)
        assert caught.value.filename == str(path)


def test_a_full_medium_is_told_by_the_name_of_the_file_and_keeps_the_old_one(tmp_path: Path) -> None:
    class Full(LocalFileSystem):
        def sync(self, file: IO[bytes]) -> None:
            super().sync(file)
            with Path("/dev/full").open("wb", buffering=0) as full:
                full.write(b"x")

    file = tmp_path / "file"
    atomic_write(file, b"old", mode=0o600)
    with pytest.raises(OSError) as caught:  # noqa: PT011
        atomic_write(file, b"new", mode=0o600, file_system=Full())
    assert (caught.value.filename, file.read_bytes(), list(tmp_path.iterdir())) == (str(file), b"old", [file])
