"""The box's end of the chain by which city hall notices a copy of its card (provisioning.cityhall.boxes.clones).

A pair is drawn at the first call of each start of the machine, and every few hours: so a copy that is started elsewhere
draws at its first word, and a card that wears out by writing is written to a few times a day. ``next`` is on the medium
before it is sent; until city hall has it, and between two draws, calls bring the same pair again. One call at a time:
another process of this box waits. A back-up does not hold the file, since a restored box is a copy, too: staff release
it at city hall.
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
DRAW_SECONDS = 6 * 3600
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _Ends(msgspec.Struct, frozen=True, kw_only=True):
    have: str = ""
    next: str = ""
    acknowledged: bool = False
    boot: str = ""
    drawn_at: int = 0


@dataclass
class Call:
    """One call under way. header: what to send; answered is set to what city hall sent back."""

    header: str
    answered: str = ""


def boot_id() -> str:
    """Random, of this start of this machine (random(4)); "" where it cannot be read."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


@contextmanager
def chained_call(folder: Path, now: int, boot: str) -> Iterator[Call]:
    """The pair for one call, drawn when it is time. now: unix seconds; boot: see ``boot_id``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file, lock = folder / CHAIN_FILE, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ends = _read(file)
        if not ends.next or (ends.acknowledged and _due(ends, now, boot)):
            ends = _Ends(have=ends.next, next=secrets.token_hex(16), boot=boot, drawn_at=now)
            _write(file, ends)
        call = Call(f"{ends.have}/{ends.next}")
        try:
            yield call
        finally:
            if call.answered == ends.next and not ends.acknowledged:
                _write(file, msgspec.structs.replace(ends, acknowledged=True))
    finally:
        os.close(lock)


def _due(ends: _Ends, now: int, boot: str) -> bool:
    return boot != ends.boot or not 0 <= now - ends.drawn_at < DRAW_SECONDS


def _read(file: Path) -> _Ends:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Ends)
    except (OSError, msgspec.DecodeError):
        return _Ends()


def _write(file: Path, ends: _Ends) -> None:
    atomic_write(file, msgspec.json.encode(ends), mode=0o600)
