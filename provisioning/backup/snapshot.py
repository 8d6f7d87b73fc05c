"""A consistent copy of the state in a working folder: databases by SQLite's own back-up, files as they are.

Databases are copied one after the other, the kiosk's first and the issuer's last: what the kiosk knows of the issuer,
the issuer's copy then knows as well.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

from provisioning.backup.contents import STORAGE_FOLDER, ArchivedFile, Part, choose
from provisioning.backup.errors import CannotWrite, StateMissing
from provisioning.backup.leftovers import claimed, sweep

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # in memory, so that no plain copy is written to the SD card
MAX_IN_MEMORY = 64 << 20
"""Bytes of copies there: memory that the unit's MemoryMax counts."""
_PREFIX = "hiroba-backup-"
MANIFEST = "manifest.json"


@contextmanager
def working_folder(state: Path, shared: Path = SHARED_MEMORY) -> Iterator[Path]:
    """A folder for plain copies, gone at the end: in memory when they are few and fit there twice, else beside the
    state. Those that a power cut or a kill left behind go first.
    """
    for where in (shared, state / "backup"):
        sweep(where.glob(f"{_PREFIX}*"))
    wanted = 2 * sum(path.stat().st_size for path in _files(state))
    roomy = wanted <= 2 * MAX_IN_MEMORY and shared.is_dir() and shutil.disk_usage(shared).free > wanted
    place = shared if roomy else state / "backup"
    place.mkdir(exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place) as folder, claimed(Path(folder)) as claim:
        yield claim


def take(state: Path, settings: Path, work: Path) -> list[ArchivedFile]:
    """Copy everything that belongs in an archive under ``work``. Raises StateMissing, CannotWrite."""
    found = [
        ("state", path.relative_to(state).as_posix(), path, part)
        for path in _files(state)
        if (part := choose(PurePosixPath(path.relative_to(state).as_posix()), _first(path)))
    ]
    if not found:
        raise StateMissing(folder=state)
    found += [("settings", name, path, Part.SETTINGS) for name, path in _settings(settings)]
    return [_keep(root, name, path, part, work) for root, name, path, part in sorted(found, key=_turn)]


def _turn(found: tuple[str, str, Path, Part]) -> tuple[bool, str]:
    return found[1].startswith("issuer/"), f"{found[0]}/{found[1]}"


def _files(state: Path) -> list[Path]:
    """Regular files below ``state``; links are not followed."""
    return [path for path in sorted(state.rglob("*")) if stat.S_ISREG(path.lstat().st_mode)]


def _settings(settings: Path) -> list[tuple[str, Path]]:
    """The site file, and the other files of its folder if that is Hiroba's own."""
    if not settings.is_file():
        return []
    folder = settings.parent
    files = _files(folder) if folder.name == "hiroba" else [settings]
    files = [path for path in files if path.relative_to(folder).parts[0] != STORAGE_FOLDER]
    return [(path.relative_to(folder).as_posix(), path) for path in files]


def _first(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError as error:
        raise CannotWrite(file=path, reason=error.strerror or "") from error


def _keep(root: str, name: str, source: Path, part: Part, work: Path) -> ArchivedFile:
    copy = work / root / name
    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        if part is Part.DATABASE:
            copy_database(source, copy)
        else:
            shutil.copyfile(source, copy)
        facts = source.stat()
    except (OSError, sqlite3.Error) as error:
        raise CannotWrite(file=source, reason=str(error)) from error
    return ArchivedFile(
        path=f"{root}/{name}",
        part=part,
        bytes=copy.stat().st_size,
        sha256=digest(copy),
        mode=stat.S_IMODE(facts.st_mode),
        owner=source.owner() if _named(source.owner) else "root",
        group=source.group() if _named(source.group) else "root",
    )


def copy_database(source: Path, copy: Path) -> None:
    """All committed rows at one moment, also while others write. The copy is one file without a log beside it."""
    with (
        closing(sqlite3.connect(source, timeout=30.0)) as old,
        closing(sqlite3.connect(copy)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named(name: object) -> bool:
    """Whether a file's owner still has a name on this box."""
    try:
        return callable(name) and bool(name())
    except KeyError:
        return False
