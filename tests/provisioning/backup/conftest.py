"""A box with records in every room, and the city's key."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from device.clock import JST, HeldClock
from provisioning.backup.age import Identity, parse_recipient
from provisioning.backup.archive import open_archive
from provisioning.backup.backup_writer import BackupWriter
from provisioning.backup.contents import Manifest
from provisioning.backup.restore import Blank, Restored, restore
from provisioning.backup.settings import BackupSettings
from provisioning.backup.signing import Anchors, Signer

BOX = "TEST-box-1"
SIGNER = Signer(ec.generate_private_key(ec.SECP256R1()))
NOTED = Anchors(fingerprints=frozenset({SIGNER.fingerprint()}))
TOKEN = b"TEST-TOKEN-7f3a91"
"""Stands in every file of the box; after a wipe it is nowhere."""


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(datetime(2026, 11, 23, 3, 0, tzinfo=JST))


@pytest.fixture(scope="session")
def identity() -> Identity:
    return Identity.make()


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """The state folder of a box that has been used."""
    state = tmp_path / "old"
    for name in ("portal/portal.db", "gate/sessions.db", "stats/stats.db"):
        (state / name).parent.mkdir(parents=True)
        with closing(sqlite3.connect(state / name)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE row (body BLOB)")
            database.execute("INSERT INTO row VALUES (?)", (TOKEN,))
            database.commit()
    (state / "portal" / "key").write_bytes(TOKEN)
    (state / "portal" / "key").chmod(0o600)
    (state / "dnsmasq").mkdir()
    (state / "dnsmasq" / "leases").write_bytes(TOKEN)
    return state


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    path = tmp_path / "hiroba" / "site.toml"
    path.parent.mkdir()
    path.write_text(
        f'[box]\nname = "{BOX}"\n[city]\nname_ja = "試験市"\nname_en = "TEST"\ntelephone = "06-0000-0000"\n'
    )
    return path


@pytest.fixture
def backup(box: Path, site_file: Path, identity: Identity, clock: HeldClock) -> BackupWriter:
    settings = BackupSettings(recipient=identity.recipient())
    return BackupWriter(box, site_file, BOX, parse_recipient(settings.recipient), clock, signer=SIGNER)


def laid(source: Path, identity: Identity, state: Path, settings: Path, clock: HeldClock) -> Restored:
    """The archive restored, as by staff who noted the box's fingerprint."""
    with open_archive(source, NOTED) as archive:
        return restore(archive, identity, Blank(state, settings), clock)


def unpacked(source: Path, identity: Identity, folder: Path) -> Manifest:
    """All of the archive in ``folder``."""
    with open_archive(source, NOTED) as archive:
        return archive.unpack(identity, folder)
