"""A disk whose power can be cut before, in the middle of and after each act."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from provisioning.updates.disk import Disk

MOMENTS = ("before", "middle", "after")


class PowerCut(BaseException):
    """Not an Exception: nothing may catch it on the way."""


class CutDisk(Disk):
    """Cuts at ``moment`` of act number ``act`` (from 0); ``acts`` counts what was done."""

    def __init__(self, act: int = -1, moment: str = "before") -> None:
        self.act = act
        self.moment = moment
        self.acts = 0

    def _do(self, whole: Callable[[], None], half: Callable[[], None]) -> None:
        here = self.acts == self.act
        self.acts += 1
        if here and self.moment == "middle":
            half()
        elif not here or self.moment == "after":
            whole()
        if here:
            raise PowerCut

    def write(self, file: Path, content: bytes) -> None:
        """Middle: half of the new content lies beside the old file."""
        beside = file.with_name(f".{file.name}.new")
        self._do(lambda: Disk.write(self, file, content), lambda: _half_file(beside, content))

    def link(self, name: Path, target: Path) -> None:
        """Middle: the new link lies beside the old one."""
        beside = name.with_name(f".{name.name}.new")
        self._do(lambda: Disk.link(self, name, target), lambda: _half_link(beside, target))

    def remove(self, file: Path) -> None:
        """There is no middle."""
        self._do(lambda: Disk.remove(self, file), lambda: None)

    def empty(self, folder: Path) -> None:
        """Middle: a part of the folder is gone."""
        self._do(lambda: Disk.empty(self, folder), lambda: _half_empty(folder))

    def fill(self, work: Callable[[], None]) -> None:
        """Middle: everything was written and nothing brought to the card; the command is the one that is lost."""
        self._do(lambda: Disk.fill(self, work), work)


def _half_file(file: Path, content: bytes) -> None:
    file.write_bytes(content[: len(content) // 2])


def _half_link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _half_empty(folder: Path) -> None:
    for entry in sorted(folder.iterdir())[:1] if folder.exists() else []:
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
