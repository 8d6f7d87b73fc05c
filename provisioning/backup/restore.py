"""Restores an archive onto a blank box and marks the requests whose outcome is unknown.

Everything is laid in STATE/.restore, checked and settled there, and only then moved into its place, entry by entry. A
restore that was cut off is begun again by the same command. Nothing is ever printed by it (N2).
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from device.audit import Audit
from device.clock import Clock
from device.errors import StoreError
from device.files import sync_folder
from device.health.readers import CANARY
from device.store import Store
from kiosk.issuer.challenges import Challenges
from kiosk.issuer.ledger import Ledger
from kiosk.issuer.visits import Visits
from kiosk.issuer.wiring import LEDGER_MIGRATIONS
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.issuance.alarm_reasons import PAPER_UNACCOUNTED
from kiosk.services.certificates.issuance.journal import Journal, RequestRow
from kiosk.shell.alarm import Alarm
from provisioning.backup.age import Identity
from provisioning.backup.archive import OpenArchive
from provisioning.backup.contents import ArchivedFile, Manifest, Part, Place, place_of
from provisioning.backup.errors import ArchiveDamaged, CannotWrite, StateNotBlank
from provisioning.backup.signing import Maker

STAGE = ".restore"
_CHECKED = "checked"
"""Beside the stage's files once all is checked and settled: from then on it is only moved."""
ISSUE_NUMBERS_LEFT_OUT = 1000
"""More than the issuer of one box issues between two back-ups."""
JOURNAL, LEDGER = Path("kiosk/kiosk.db"), Path("issuer/ledger.db")
CITY_CA = Path("enrolment/city-ca.pem")
"""Below the state: the city's CA, as a seed brings it."""
_OF_A_SEED = frozenset({CITY_CA.as_posix(), "enrolment/code"})


@dataclass(frozen=True)
class Restored:
    """unknown: requests that were unfinished at the back-up, as they were then; left: files of the archive that were
    put nowhere; seconds: it took.
    """

    manifest: Manifest
    unknown: tuple[RequestRow, ...]
    settings_beside: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Blank:
    """The machine that an archive is laid onto: its state folder and its site file, which may not be there yet."""

    state: Path
    settings: Path

    def is_blank(self) -> bool:
        """Whether nothing would be lost: no file but what a seed, the doctor or an interrupted restore leaves."""
        if (self.state / STAGE / _CHECKED).exists():
            return True
        files = (path for path in self.state.rglob("*") if path.is_file() and STAGE not in path.parts)
        return all(self._from_before(path) for path in files)

    def _from_before(self, path: Path) -> bool:
        return path.name.startswith(CANARY) or path.relative_to(self.state).as_posix() in _OF_A_SEED

    def plan(self, manifest: Manifest, *, signed: bool) -> dict[str, Place]:
        """Each file of an archive -> what would become of it."""
        site_file = self.settings.name
        return {kept.path: place_of(kept.path, site_file, signed=signed) for kept in manifest.files}


def restore(source: OpenArchive, identity: Identity, onto: Blank, clock: Clock) -> Restored:
    """The archive ``source`` onto the blank machine. The site file comes back too; one that is there already stays,
    and the archive's is written beside it as NAME.restored. Raises StateNotBlank, KeyWrong, ArchiveDamaged,
    SignatureInvalid, CannotWrite.
    """
    began, state, stage = time.monotonic(), onto.state, onto.state / STAGE
    if not onto.is_blank():
        raise StateNotBlank(folder=state)
    try:
        _clear(state)
        stage.mkdir(parents=True, mode=0o700)
        manifest = source.unpack(identity, stage)
        plan = onto.plan(manifest, signed=source.maker is not None)
        left = tuple(path for path, place in plan.items() if place is Place.NOWHERE)
        _leave_out(stage, left)
        kept_files = [kept for kept in manifest.files if kept.path not in left]
        _check_databases(source.name, stage, kept_files)
        unknown = mark_unknown(stage / "state", manifest, clock, source.maker)
        _keep_city(state, stage / "state")
        for kept in kept_files:
            _own(stage / kept.path, kept)
        (stage / _CHECKED).touch()
        sync_folder(stage)
        beside = _write_settings(stage / "settings", onto.settings, plan)
        _move(stage / "state", state)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotWrite(file=state, reason=reason) from error
    finally:
        if not (stage / _CHECKED).exists():  # a refused archive leaves nothing of what was opened
            shutil.rmtree(stage, ignore_errors=True)
    return Restored(manifest, unknown, beside, left, time.monotonic() - began)


def _leave_out(stage: Path, left: Sequence[str]) -> None:
    """Delete these files and the folders that held nothing else."""
    for path in left:
        (stage / path).unlink()
        for folder in list(Path(path).parents)[:-2]:
            with suppress(OSError):
                (stage / folder).rmdir()


def _keep_city(state: Path, staged: Path) -> None:
    """The city's CA that this machine was given by hand stays its CA."""
    if (state / CITY_CA).is_file():
        (staged / CITY_CA).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy2(state / CITY_CA, staged / CITY_CA)


def _clear(state: Path) -> None:
    """Delete the rest of an interrupted restore. Folders that systemd made stay, and so does what a seed left."""
    if (state / STAGE / _CHECKED).exists():
        for entry in state.iterdir():
            if entry.is_dir() and entry.name not in (STAGE, CITY_CA.parts[0]):
                shutil.rmtree(entry)
            elif entry.is_file():
                entry.unlink()
    if (state / STAGE).exists():
        shutil.rmtree(state / STAGE)


def _check_databases(source: str, stage: Path, files: Sequence[ArchivedFile]) -> None:
    for kept in files:
        if kept.part is Part.DATABASE:
            with closing(sqlite3.connect(stage / kept.path)) as database:
                (answer,) = database.execute("PRAGMA integrity_check(1)").fetchone()
            if answer != "ok":
                raise ArchiveDamaged(file=source, reason=f"database {Path(kept.path).name}")


def mark_unknown(state: Path, manifest: Manifest, clock: Clock, maker: Maker | None = None) -> tuple[RequestRow, ...]:
    """Mark what the old box may have done after this back-up: unfinished requests are unknown and the kiosk stays
    closed until staff looked; the issuer leaves out the numbers it may have given. The requests, as they were. maker:
    for the audit; None: nobody knows.
    """
    unknown: list[RequestRow] = []
    try:
        if (state / JOURNAL).exists():
            unknown = _mark_journal(state / JOURNAL, manifest, clock, maker)
        if (state / LEDGER).exists():
            _mark_ledger(state / LEDGER, manifest, clock)
    except StoreError as error:
        raise ArchiveDamaged(file=str(error.facts["file"]), reason=str(error.facts["reason"])) from error
    return tuple(unknown)


def _mark_journal(path: Path, manifest: Manifest, clock: Clock, maker: Maker | None) -> list[RequestRow]:
    with closing(Store(path, KIOSK_MIGRATIONS)) as store:
        audit = Audit(store, clock)
        alarm, journal = Alarm(store, audit, clock), Journal(store, audit, clock)
        with store.transaction():
            unknown = journal.restored()
            for row in unknown:
                alarm.raise_(PAPER_UNACCOUNTED, row.request)
            facts = {"archive": manifest.archive, "taken_at": manifest.taken_at, "unknown": len(unknown)}
            audit.record("box_restored", **facts, signer=maker.fingerprint if maker else "")
    return unknown


def _mark_ledger(path: Path, manifest: Manifest, clock: Clock) -> None:
    with closing(Store(path, LEDGER_MIGRATIONS)) as store, store.transaction():
        Ledger(store).restored()
        Visits(store, clock).forget()
        Challenges(store, clock).forget()
        number = Ledger(store).leave_gap(clock.now(), ISSUE_NUMBERS_LEFT_OUT)
        Audit(store, clock).record("issue_numbers_skipped", archive=manifest.archive, issue_number=number)


def _own(path: Path, kept: ArchivedFile) -> None:
    """Mode and owner as they were; an owner that this box does not know yet is settled when its service starts."""
    path.chmod(kept.mode & 0o777)
    if os.geteuid() != 0:
        return
    try:
        os.chown(path, pwd.getpwnam(kept.owner).pw_uid, grp.getgrnam(kept.group).gr_gid)
    except KeyError:
        return


def _write_settings(staged: Path, settings: Path, plan: Mapping[str, Place]) -> tuple[str, ...]:
    """What ``plan`` puts into the site file's folder; what is there already stays. The names laid beside."""
    beside = []
    for source in sorted(path for path in staged.rglob("*") if path.is_file()) if staged.exists() else ():
        name = source.relative_to(staged)
        target = settings.parent / name
        target.parent.mkdir(parents=True, exist_ok=True)
        as_planned = plan[f"settings/{name.as_posix()}"] is Place.SETTINGS
        if not as_planned or (target.exists() and target.read_bytes() != source.read_bytes()):
            target = target.with_name(target.name + ".restored")
            beside.append(target.name)
        shutil.copy2(source, target)
    return tuple(beside)


def _move(staged: Path, state: Path) -> None:
    """Move every entry to its place, over empty folders, whose mode and owner are kept."""
    for source in sorted(staged.iterdir()):
        target = state / source.name
        if target.is_dir():
            facts = target.stat()
            source.chmod(facts.st_mode & 0o7777)
            if os.geteuid() == 0:
                os.chown(source, facts.st_uid, facts.st_gid)
            shutil.rmtree(target)
        elif source.is_dir():
            _like_its_files(source)
        source.rename(target)
    sync_folder(state)
    (state / STAGE / _CHECKED).unlink()  # from here on this is a box's state, which no restore touches
    sync_folder(state / STAGE)
    shutil.rmtree(state / STAGE)
    sync_folder(state)


def _like_its_files(folder: Path) -> None:
    """Give a folder the owner of its files."""
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in folder.iterdir()}
    if os.geteuid() == 0 and len(owners) == 1:
        os.chown(folder, *owners.pop())
