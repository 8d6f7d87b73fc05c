"""The folder into which the city's feed lays revocation lists, one file a CA; read again when a file changes.

A list older than one that was taken before is refused, also after a restart: the newest dates and numbers are kept in a
file. What a newer list said stays in force until a newer one still is there.
"""

from __future__ import annotations

import stat
import threading
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from device.card.credential import TrustStore
from device.clock import Clock
from device.files import atomic_write
from kiosk.issuer.revocation.revocation_list import MAX_BYTES, ListRefused, RevocationList, read_list
from kiosk.issuer.revocation.verdict import Status, Word

SUFFIXES = frozenset({".crl", ".der", ".pem"})
LOOK_EVERY_SECONDS = 2.0
MAX_FILES = 64

_Files = tuple[tuple[str, int, int], ...]


class NewestSeen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one CA's lists: the newest that was ever taken."""

    this_update: datetime
    number: int


class ListFolder:
    """RevocationSource over ``folder``. seen: file of NewestSeen by CA; looking: nothing is written to it. fresh: see
    RevocationSettings. Safe across threads.
    """

    def __init__(
        self, folder: Path, trust: TrustStore, fresh: timedelta, clock: Clock, seen: Path, *, looking: bool = False
    ) -> None:
        self._folder, self._trust, self._fresh, self._clock = folder, trust, fresh, clock
        self._seen_file, self._looking = seen, looking
        self._seen = _kept(seen)
        self._lists: dict[str, RevocationList] = {}
        self._refused: list[tuple[str, str]] = []
        self._files: _Files | None = None
        self._look_at = 0.0
        self._lock = threading.Lock()

    def ask(self, issuer_key: str, serial: int) -> Word:
        """See RevocationSource."""
        found = self._current().get(issuer_key)
        if found is None:
            return Word(Status.SILENT)
        status = Status.REVOKED if serial in found.revoked else Status.GOOD
        return Word(status, found.good_until(self._fresh))

    def lists(self) -> list[RevocationList]:
        """The lists in force, one a CA."""
        return list(self._current().values())

    def refused(self) -> list[tuple[str, str]]:
        """Files that were not taken, with the reason (ListRefused)."""
        self._current()
        return list(self._refused)

    def _current(self) -> dict[str, RevocationList]:
        with self._lock:
            if self._files is None or self._clock.monotonic() >= self._look_at:
                self._look_at = self._clock.monotonic() + LOOK_EVERY_SECONDS
                files = _listing(self._folder)
                if files != self._files:
                    self._files = files
                    self._read([self._folder / name for name, _, _ in files])
            return self._lists

    def _read(self, files: list[Path]) -> None:
        self._refused = []
        for file in files:
            try:
                self._take(read_list(_content(file), self._trust, self._clock.now()))
            except ListRefused as refused:
                self._refused.append((file.name, str(refused.facts["reason"])))
        if not self._looking and self._seen != _kept(self._seen_file):
            atomic_write(self._seen_file, msgspec.json.encode(self._seen), mode=0o600)

    def _take(self, found: RevocationList) -> None:
        seen = self._seen.get(found.issuer_key)
        if seen and (found.this_update < seen.this_update or found.number < seen.number):
            raise ListRefused(reason="older")
        self._seen = {**self._seen, found.issuer_key: NewestSeen(found.this_update, found.number)}
        self._lists = {**self._lists, found.issuer_key: found}


def _listing(folder: Path) -> _Files:
    """Name, time and size of each file: another list is another line. A folder that is missing has none; what is no
    plain file (a pipe would hold the reader for ever) is none.
    """
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES]
        stats = [(file.name, file.stat()) for file in files]
    except OSError:
        return ()
    plain = [(name, found.st_mtime_ns, found.st_size) for name, found in stats if stat.S_ISREG(found.st_mode)]
    return tuple(sorted(plain)[:MAX_FILES])


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ListRefused(reason="unreadable") from error


def _kept(seen: Path) -> dict[str, NewestSeen]:
    try:
        return msgspec.json.decode(seen.read_bytes(), type=dict[str, NewestSeen])
    except (OSError, msgspec.MsgspecError):
        return {}
