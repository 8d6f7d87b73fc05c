"""Files written whole: a reader, a killed process and a power cut find the old content or the new, never a part.

A temporary file in the same folder (``.NAME.new``) is created with its mode, written, brought to the medium and renamed
over the old one. Its writer holds a lock (flock) on it, so the next writer knows and removes what a killed one left.

``durable``: True brings the content to the medium before the rename and the folder after it, so that after the call a
power cut finds the new content. False leaves both to the kernel: for files on a tmpfs, of virtual devices, or followed
by one ``os.sync`` of many. A killed process leaves a whole file either way.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO, NamedTuple, Protocol


class Owner(NamedTuple):
    """Numbers of user and group; -1 leaves one as it is."""

    user: int = -1
    group: int = -1


UNCHANGED = Owner()
_OF_A_MEDIUM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})
"""What write(2) and fsync(2) fail with, without a name."""
_DEVICES = Path("/dev")
"""Its links lead to what a process has open (/dev/stdout), and a file made in it lies in memory."""


class FileSystem(Protocol):
    """The acts of which a whole write consists, so that a test can cut the power between any two of them."""

    def create(self, path: Path, mode: int, owner: Owner) -> tuple[Path, IO[bytes]]:
        """A new, locked, empty file beside ``path``: its name, and the file open for writing."""
        ...

    def sync(self, file: IO[bytes]) -> None:
        """The content is on the medium when this returns."""
        ...

    def replace(self, fresh: Path, path: Path) -> None:
        """Rename over what is there."""
        ...

    def link(self, fresh: Path, path: Path) -> None:
        """A second name. Raises FileExistsError."""
        ...

    def remove(self, fresh: Path) -> None:
        """Remove a temporary file, if it is there."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """The names in ``folder`` are on the medium when this returns."""
        ...


class LocalFileSystem:
    """The kernel's."""

    def create(self, path: Path, mode: int, owner: Owner) -> tuple[Path, IO[bytes]]:
        """See FileSystem. Nobody but its owner can open it before it has its owner and group; then it gets ``mode``
        as asked, whatever the umask.
        """
        _check_replaceable(path)
        for number in count():
            fresh = path.with_name(temporary_name(path.name, number))
            _remove_abandoned(fresh)
            handle = _claimed(fresh, mode & 0o700)
            if handle is not None:
                return fresh, _given(handle, fresh, mode, owner)
        raise AssertionError

    def sync(self, file: IO[bytes]) -> None:
        """See FileSystem."""
        os.fsync(file.fileno())

    def replace(self, fresh: Path, path: Path) -> None:
        """See FileSystem."""
        fresh.replace(path)

    def link(self, fresh: Path, path: Path) -> None:
        """See FileSystem. FAT has no second names: there a rename, after a look whether ``path`` is free."""
        try:
            path.hardlink_to(fresh)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP):
                raise
            if path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
            fresh.replace(path)

    def remove(self, fresh: Path) -> None:
        """See FileSystem."""
        fresh.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """See FileSystem."""
        sync_folder(folder)


_LOCAL = LocalFileSystem()


def atomic_write(
    path: Path,
    content: bytes,
    *,
    mode: int,
    durable: bool = True,
    owner: Owner = UNCHANGED,
    file_system: FileSystem = _LOCAL,
) -> None:
    """``path`` holds ``content`` and has exactly ``mode``; its folder must exist. Raises OSError, and then the old file
    stands unless only the last sync of the folder failed. What is no file (a device, a channel) stays too.
    """
    with atomic_writer(path, mode=mode, durable=durable, owner=owner, file_system=file_system) as file:
        file.write(content)


@contextmanager
def atomic_writer(
    path: Path, *, mode: int, durable: bool = True, owner: Owner = UNCHANGED, file_system: FileSystem = _LOCAL
) -> Iterator[IO[bytes]]:
    """The same for content that comes in pieces: ``path`` is replaced when the block ends without an exception."""
    with _fresh(path, mode, owner, file_system) as (fresh, file):
        yield file
        file.flush()
        if durable:
            file_system.sync(file)
        file_system.replace(fresh, path)
    if durable:
        file_system.sync_folder(path.parent)


def create_once(path: Path, content: bytes, *, mode: int, file_system: FileSystem = _LOCAL) -> bool:
    """``path`` is made with ``content``, durably, unless something has that name: then False. Of several makers at one
    moment the first wins, and no reader sees half a file. Raises OSError.
    """
    if path.exists():
        return False
    with _fresh(path, mode, UNCHANGED, file_system) as (fresh, file):
        file.write(content)
        file.flush()
        file_system.sync(file)
        try:
            file_system.link(fresh, path)
        except FileExistsError:
            return False
        finally:
            file_system.remove(fresh)
    file_system.sync_folder(path.parent)
    return True


def atomic_symlink(path: Path, target: Path, *, durable: bool = True) -> None:
    """``path`` leads to ``target``: to the old one or the new one at any moment. One writer at a time: a link cannot be
    locked. Raises OSError.
    """
    fresh = path.with_name(temporary_name(path.name))
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(path)
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """The names in ``folder`` are on the medium when this returns. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def temporary_name(name: str, number: int = 0) -> str:
    """The temporary file's name beside ``name``; a number for each further writer at the same moment."""
    return f".{name}.{number}.new" if number else f".{name}.new"


@contextmanager
def _fresh(path: Path, mode: int, owner: Owner, file_system: FileSystem) -> Iterator[tuple[Path, IO[bytes]]]:
    """The temporary file, locked until the block ends; removed when it ends with an exception."""
    try:
        fresh, file = file_system.create(path, mode, owner)
    except OSError as error:
        if error.filename is not None:  # whoever is told knows this name, and not the temporary one
            error.filename = str(path)
        raise
    with file:
        try:
            yield fresh, file
        except BaseException as error:
            if isinstance(error, OSError) and error.filename is None and error.errno in _OF_A_MEDIUM:
                error.filename = str(path)
            file_system.remove(fresh)
            raise


def _claimed(fresh: Path, mode: int) -> int | None:
    """A descriptor of the new file, locked; None: another writer has this name."""
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except FileExistsError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # another writer took the file, not locked yet, for an abandoned one, and removes it
        os.close(handle)
        return None
    except OSError:  # a medium without locks
        return handle
    if _is(handle, fresh):
        return handle
    os.close(handle)
    return None


def _check_replaceable(path: Path) -> None:
    """Raises OSError where the rename would put a file in the place of a device, a pipe or a socket, or beside them."""
    beside_devices = path.parent.is_dir() and path.parent.samefile(_DEVICES)
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if beside_devices or not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(path))


def _given(handle: int, fresh: Path, mode: int, owner: Owner) -> IO[bytes]:
    """The new file with its owner and mode; what cannot have them is closed and removed, or it would stay locked."""
    try:
        if owner != UNCHANGED:
            os.fchown(handle, *owner)
        os.fchmod(handle, mode)
    except BaseException:
        fresh.unlink(missing_ok=True)
        os.close(handle)
        raise
    return os.fdopen(handle, "wb")


def _remove_abandoned(fresh: Path) -> None:
    """Remove what a writer that was killed left: nobody holds its lock."""
    with suppress(OSError):
        handle = os.open(fresh, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is(handle, fresh):
                fresh.unlink()
        finally:
            os.close(handle)


def _is(handle: int, path: Path) -> bool:
    """Whether the open file still has that name."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False
