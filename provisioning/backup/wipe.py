"""Disposal: makes the state of a box unreadable, keys first.

Keys are few and small: once they are gone, what was sealed with them is gone too, also where flash memory keeps old
copies of blocks. Then every file is overwritten once, cut to nothing, renamed and deleted. What overwriting on a flash
card cannot promise stands in the record (NIST SP 800-88 Rev. 1 §2.4: for such media clear is the most a box can do by
itself).
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from device.files import sync_folder
from provisioning.backup.errors import CannotWrite, StillInUse, WipeIncomplete, WipeRefused

ROOMS = frozenset({"kiosk", "issuer", "portal", "gate", "stats", "fleet", "backup", "virtual", "outbox", "enrolment"})
"""A folder that holds none of these is not a state folder of Hiroba's."""
_KEY_SUFFIXES = frozenset({".key", ".pem", ".p12", ".pfx", ".cred", ".secret", ".salt"})
_KEY_NAMES = frozenset({"volume.json", "key", "salt", "secret", "password", "passphrase"})
_KEY_SETTINGS = ("hostapd-", "cityhall.toml", "fleet.toml")
"""Settings that hold a secret: the radios' passphrases, the password of city hall's database."""
OWN_FOLDER = "hiroba"
"""A settings folder of this name (/etc/hiroba) is Hiroba's alone and is wiped whole."""
_PIECE = 1 << 20


@dataclass(frozen=True)
class Wiped:
    """What was made unreadable. keys and files are counts, files without the keys; bytes of both."""

    keys: int
    files: int
    bytes: int


def is_key(path: Path) -> bool:
    """Whether a file holds a key, by its name or its first line."""
    if path.suffix.lower() in _KEY_SUFFIXES or path.name.lower() in _KEY_NAMES:
        return True
    if path.name.startswith(_KEY_SETTINGS):
        return True
    try:
        with path.open("rb") as file:
            first = file.read(64)
    except OSError:
        return False
    return first.startswith((b"-----BEGIN", b"AGE-SECRET-KEY-", b"# created:"))


def settings_of(config: Path) -> list[Path]:
    """The files beside the site file ``config`` in a folder of Hiroba's own, also those that a restore wrote, and the
    site file as the last: a wipe that was cut off can only be begun again while it is there.
    """
    beside = _files(config.parent) if config.parent.name == OWN_FOLDER else []
    return [*(path for path in beside if path != config), config]


def in_order(files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """(keys, everything else). BackupResult-ahead logs go with the rest: they hold rows, not keys."""
    found = sorted(files)
    keys = [path for path in found if is_key(path)]
    return keys, [path for path in found if path not in set(keys)]


def check_folder(state: Path) -> None:
    """Raises WipeRefused for what is no state folder."""
    names = {path.name for path in state.iterdir()} if state.is_dir() else set()
    if len(state.resolve().parts) < 3 or state.is_symlink() or not names & ROOMS:
        raise WipeRefused(folder=state)


def check_unused(state: Path, processes: Callable[[], Iterable[psutil.Process]] = psutil.process_iter) -> None:
    """Raises StillInUse while a process has a file below ``state`` open: it might be written again."""
    prefix = f"{state.resolve()}/"
    users = {name for process in processes() if (name := _user_of(process, prefix))}
    if users:
        raise StillInUse(folder=state, processes=", ".join(sorted(users)))


def _user_of(process: psutil.Process, prefix: str) -> str | None:
    try:
        busy = any(str(file.path).startswith(prefix) for file in process.open_files())
        return str(process.name()) if busy and process.pid != os.getpid() else None
    except psutil.Error:
        return None


def wipe(state: Path, settings: Iterable[Path] = (), after_keys: Callable[[], object] = lambda: None) -> Wiped:
    """Make everything below ``state``, and then the files ``settings`` in their order, unreadable; keys first. Safe to
    repeat after a power cut: what is left is done then. ``after_keys`` is called once the keys are gone. Raises
    WipeIncomplete, CannotWrite.
    """
    extra = [path for path in settings if path.is_file()]
    keys, rest = in_order([*_files(state), *extra])
    rest = [*(path for path in rest if path not in extra), *(path for path in extra if path not in keys)]
    size = sum(path.stat().st_size for path in (*keys, *rest))
    try:
        for path in keys:
            destroy(path)
        after_keys()
        for path in rest:
            destroy(path)
        _empty(state)
    except OSError as error:
        raise CannotWrite(file=error.filename or state, reason=error.strerror or "") from error
    left = len(_files(state)) + sum(path.exists() for path in extra)
    if left:
        raise WipeIncomplete(folder=state, left=left)
    return Wiped(len(keys), len(rest), size)


def destroy(path: Path) -> None:
    """Overwrite one file with random bytes on the medium, truncate it and remove its name."""
    with path.open("r+b", buffering=0) as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(secrets.token_bytes(min(left, _PIECE)))
        os.fsync(file.fileno())
        file.truncate(0)
        os.fsync(file.fileno())
    nameless = path.with_name(f".{secrets.token_hex(8)}")  # the name, too, may be personal
    path.rename(nameless)
    nameless.unlink()
    sync_folder(path.parent)


def _files(state: Path) -> list[Path]:
    return [path for path in sorted(state.rglob("*")) if stat.S_ISREG(path.lstat().st_mode)]


def _empty(state: Path) -> None:
    for entry in state.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    sync_folder(state)
