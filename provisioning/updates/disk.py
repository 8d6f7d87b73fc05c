"""The few ways in which the installer changes the disk, each whole or not at all.

A port, so that a test can cut the power before, after and in the middle of every one of them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path


class Disk:
    """Every act is on the card when it returns."""

    def write(self, file: Path, content: bytes) -> None:
        """The old content or the new one, never a half."""
        fresh = file.with_name(f".{file.name}.new")
        with fresh.open("wb") as stream:
            stream.write(content)
            os.fchmod(stream.fileno(), 0o644)  # nothing here is secret, and the heartbeat is not root
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
        _sync_folder(file.parent)

    def link(self, name: Path, target: Path) -> None:
        """``name`` leads to ``target`` (relative): to the old one or the new one, and always somewhere."""
        fresh = name.with_name(f".{name.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.replace(name)
        _sync_folder(name.parent)

    def remove(self, file: Path) -> None:
        """``file`` is gone."""
        file.unlink(missing_ok=True)
        _sync_folder(file.parent)

    def empty(self, folder: Path) -> None:
        """``folder`` exists and holds nothing."""
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)

    def fill(self, work: Callable[[], None]) -> None:
        """Do ``work``, which writes many files, then bring all of them to the card."""
        work()
        os.sync()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
