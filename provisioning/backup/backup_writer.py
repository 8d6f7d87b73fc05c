"""Writes one back-up, and the record of the last one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import msgspec

from device.clock import Clock
from device.files import atomic_write
from device.version import version
from provisioning.backup import archive, contents, snapshot
from provisioning.backup.errors import CannotWrite
from provisioning.backup.leftovers import sweep
from provisioning.backup.signing import Signer

LAST_BACKUP_FILE = Path("backup") / "last.json"
"""Below the state folder; the doctor reads it."""


class LastBackup(msgspec.Struct, frozen=True, kw_only=True):
    """at: ISO 8601, JST. bytes: of the archive."""

    at: str
    archive: str
    bytes: int


@dataclass(frozen=True)
class BackupResult:
    """A finished archive. removed: the older ones that rotation deleted."""

    path: Path
    manifest: contents.Manifest
    bytes: int
    removed: tuple[str, ...] = ()


class BackupWriter:
    """Writes archives of one box's state. recipient: the city's public key, age1… signer: this box's own key."""

    def __init__(self, state: Path, settings: Path, box: str, recipient: str, clock: Clock, *, signer: Signer) -> None:
        self._state, self._settings, self._box = state, settings, box
        self._recipient, self._clock, self._signer = recipient, clock, signer

    def to_file(self, target: Path) -> BackupResult:
        """One archive at ``target``. Raises StateMissing, CannotWrite."""
        with snapshot.working_folder(self._state) as work:
            taken_at = self._clock.now().isoformat(timespec="seconds")
            manifest = contents.Manifest(
                format=archive.FORMAT,
                archive=secrets.token_hex(8),
                box=self._box,
                taken_at=taken_at,
                version=version(),
                files=snapshot.take(self._state, self._settings, work),
            )
            size = archive.write(target, self._recipient, manifest, work, self._signer)
        self._record(LastBackup(at=taken_at, archive=manifest.archive, bytes=size))
        return BackupResult(target, manifest, size)

    def to_folder(self, folder: Path, keep: int) -> BackupResult:
        """One more archive in ``folder``; then the oldest beyond ``keep`` are deleted. The rest of an interrupted
        back-up is deleted first.
        """
        sweep(folder / name for name in contents.cut_off(_names(folder), self._box))
        stamp = self._clock.now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        written = self.to_file(folder / contents.archive_name(self._box, stamp))
        old = contents.to_delete(_names(folder), self._box, keep)
        for name in old:
            (folder / name).unlink(missing_ok=True)
        return BackupResult(written.path, written.manifest, written.bytes, tuple(old))

    def _record(self, last: LastBackup) -> None:
        path = self._state / LAST_BACKUP_FILE
        try:
            path.parent.mkdir(exist_ok=True, mode=0o755)
            atomic_write(path, msgspec.json.encode(last), mode=0o644)
        except OSError as error:
            raise CannotWrite(file=path, reason=error.strerror or "") from error


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError as error:
        raise CannotWrite(file=folder, reason=error.strerror or "") from error


def last_backup(state: Path) -> LastBackup | None:
    """When the last archive was written; None: never, or unreadable."""
    try:
        return msgspec.json.decode((state / LAST_BACKUP_FILE).read_bytes(), type=LastBackup)
    except (OSError, msgspec.DecodeError):
        return None
