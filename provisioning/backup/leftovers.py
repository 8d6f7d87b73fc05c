"""Files left by a back-up that a power cut interrupted. They are recognised by a lock (flock): a writer holds one on
its file or folder for as long as it lives, so what nobody has locked is nobody's.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def claim(number: int) -> None:
    """Lock the open file until it is closed. On a medium without locks nothing happens."""
    with suppress(OSError):
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """``folder``, locked during the block."""
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
