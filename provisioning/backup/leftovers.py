"""What a back-up that was cut off by the power left behind, and how it is known: a writer holds a lock (flock) on its
file or folder for as long as it lives, so what nobody has locked is nobody's.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def claim(number: int) -> None:
    """Mark the open file as being written, until it is closed. Where a medium knows no locks, nothing is marked."""
    with suppress(OSError):
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """``folder``, marked for the time of the block."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        claim(number)
        yield folder
    finally:
        os.close(number)


def sweep(found: Iterable[Path]) -> list[Path]:
    """Delete those that nobody has claimed; which they were. What cannot be locked or deleted stays, and so does what
    another user made or a link.
    """
    return [path for path in found if _removed(path)]


def _removed(path: Path) -> bool:
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if os.fstat(number).st_uid != os.geteuid():
            return False
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError:
        return False
    finally:
        os.close(number)
    return True
