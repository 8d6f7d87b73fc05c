"""The box's files below a root, and the apply's own memory of them. Every act is whole or not at all."""

from __future__ import annotations

import grp
from collections.abc import Collection
from pathlib import Path

import msgspec

from device.files import UNCHANGED, Owner, atomic_write, sync_folder
from provisioning.box.apply.plan import Change, FileState


class UndoRecord(msgspec.Struct, frozen=True):
    """An apply that is under way: what it changes, and what will be owned once it is good."""

    changes: list[Change]
    owned: list[str]
    mark: str


class AppliedRecord(msgspec.Struct, frozen=True):
    """The last apply that was good. owned: the files it made; mark: whose it was."""

    owned: list[str] = []
    mark: str = ""


class FileTree:
    """Files below ``root``. memory: the folder of the apply's own records. groups: whether files get their groups,
    which only root can do.
    """

    def __init__(self, root: Path, memory: Path, *, groups: bool) -> None:
        self._root, self._memory, self.groups = root, memory, groups

    def states_of(self, paths: Collection[str]) -> dict[str, FileState | None]:
        """How each file stands now."""
        return {path: self._read(self._root / path) for path in paths}

    def write(self, path: str, file: FileState | None) -> None:
        """Make ``path`` be ``file``: written beside and renamed, or removed."""
        target = self._root / path
        if file is None:
            target.unlink(missing_ok=True)
            _sync(target.parent)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        owner = Owner(0, group_id(file.group)) if self.groups else UNCHANGED
        atomic_write(target, file.content, mode=file.mode, owner=owner)

    def begin(self, undo: UndoRecord) -> None:
        """Keep what is to be taken back, before anything is changed."""
        self._memory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._remember("undo.json", undo)

    def commit(self, undo: UndoRecord) -> None:
        """The change stays: first said, then the way back forgotten."""
        self._remember("applied.json", AppliedRecord(undo.owned, undo.mark))
        self.clear()

    def clear(self) -> None:
        """No apply is under way."""
        (self._memory / "undo.json").unlink(missing_ok=True)
        _sync(self._memory)

    def unfinished(self) -> UndoRecord | None:
        """The apply that was cut short, if any; one that had been found good is not taken back."""
        file = self._memory / "undo.json"
        undo = msgspec.json.decode(file.read_bytes(), type=UndoRecord) if file.exists() else None
        if undo and undo.mark == self.last_applied().mark:
            self.clear()
            return None
        return undo

    def last_applied(self) -> AppliedRecord:
        """The last good apply."""
        file = self._memory / "applied.json"
        return msgspec.json.decode(file.read_bytes(), type=AppliedRecord) if file.exists() else AppliedRecord()

    def _remember(self, name: str, record: UndoRecord | AppliedRecord) -> None:
        atomic_write(self._memory / name, msgspec.json.encode(record), mode=0o600)  # it may hold a passphrase

    def _read(self, file: Path) -> FileState | None:
        try:
            content, status = file.read_bytes(), file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return FileState(content, status.st_mode & 0o7777, group_name(status.st_gid) if self.groups else "")


def group_id(name: str) -> int:
    """The group's number; root's where there is no such group, so that a file is never wider open than it should be."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return 0


def group_name(number: int) -> str:
    """The group's name, or its number in words."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _sync(folder: Path) -> None:
    if folder.is_dir():
        sync_folder(folder)
