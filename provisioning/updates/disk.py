"""The few ways in which the installer changes the disk, each whole or not at all.

A port, so that a test can cut the power before, after and in the middle of every one of them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from device.files import atomic_symlink, atomic_write, sync_folder


class Disk:
    """Every act is on the card when it returns."""

    def write(self, file: Path, content: bytes) -> None:
        """The old content or the new one, never a half."""
        atomic_write(file, content, mode=0o644)  # nothing here is secret, and the heartbeat is not root

    def link(self, name: Path, target: Path) -> None:
        """``name`` leads to ``target`` (relative): to the old one or the new one, and always somewhere."""
        atomic_symlink(name, target)

    def remove(self, file: Path) -> None:
        """``file`` is gone."""
        file.unlink(missing_ok=True)
        sync_folder(file.parent)

    def empty(self, folder: Path) -> None:
        """``folder`` exists and holds nothing."""
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)

    def fill(self, work: Callable[[], None]) -> None:
        """Do ``work``, which writes many files, then bring all of them to the card."""
        work()
        os.sync()
