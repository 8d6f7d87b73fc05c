"""The box's end of the chain by which city hall notices a copy of its card (provisioning.cityhall.boxes.clones).

``next`` is on the medium before it is sent, so that a call whose answer was lost is made again with the same pair. One
call at a time: another process of this box waits. A back-up does not hold the file, since a restored box is a copy,
too: staff release it at city hall.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from device.files import atomic_write

CHAIN_FILE = "chain.json"


class _Ends(msgspec.Struct, frozen=True):
    have: str = ""
    next: str = ""


@dataclass
class Call:
    """One call under way. header: what to send; answered is set to what city hall sent back."""

    header: str
    answered: str = ""


@contextmanager
def chained_call(folder: Path) -> Iterator[Call]:
    """Draw or repeat the pair for one call; it goes on when the block ends with city hall's word for it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file, lock = folder / CHAIN_FILE, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ends = _read(file)
        if not ends.next:
            ends = _Ends(ends.have, secrets.token_hex(16))
            _write(file, ends)
        call = Call(f"{ends.have}/{ends.next}")
        try:
            yield call
        finally:
            if call.answered == ends.next:
                _write(file, _Ends(ends.next))
    finally:
        os.close(lock)


def _read(file: Path) -> _Ends:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Ends)
    except (OSError, msgspec.DecodeError):
        return _Ends()


def _write(file: Path, ends: _Ends) -> None:
    atomic_write(file, msgspec.json.encode(ends), mode=0o600)
