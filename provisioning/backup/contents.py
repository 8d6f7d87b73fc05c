"""Which files belong in an archive: chosen by name and first bytes. Pure."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import PurePosixPath
from typing import Annotated

import msgspec

from device.files import temporary_name
from device.process_lock import LOCK_FILE

SQLITE_MAGIC = b"SQLite format 3\x00"
LEFT_OUT = frozenset({"virtual", "log", "backup", "doctor", "dnsmasq", "run", "apply"})
"""Folders of the state that a new box makes for itself: test hardware, logs, leases, records about archives, and the
record by which ``hiroba apply --recover`` writes files as root at the start of a box.
"""
IDENTITY_FOLDER = "enrolment"
"""The box's key, its credential and the city's CA: whom this box believes."""
TRUSTED_SETTINGS = frozenset({"cityhall.toml", "fleet.toml", "update-root.json"})
"""Beside the site file, what comes back to its place in the settings' folder. Everything else there is made by
``hiroba apply`` (unit files, radios, DHCP, the browser's environment) or is root's own word (update-commands.toml), so
an archive's copy is never put where a program reads it.
"""
STORAGE_FOLDER = "storage"
"""Of the settings: what opens the encrypted volume of this very card."""
_RENDERED = ("wifi/", "browser.env", f"{STORAGE_FOLDER}/")
_BESIDE_DATABASE = ("-wal", "-shm", "-journal")


class Part(Enum):
    """How a file is archived."""

    DATABASE = "database"
    FILE = "file"
    SETTINGS = "settings"


def choose(path: PurePosixPath, first: bytes) -> Part | None:
    """How the file at ``path`` (below the state folder) that begins with ``first`` is archived; None: not."""
    left_out = path.parts[0] in LEFT_OUT or path.parts[0].startswith(".") or path.name == LOCK_FILE
    left_out = left_out or path.parts == (IDENTITY_FOLDER, "chain.json")  # of this very box, and of no copy of it
    if left_out or path.name.endswith(_BESIDE_DATABASE):
        return None
    return Part.DATABASE if first.startswith(SQLITE_MAGIC) else Part.FILE


Line = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]*(?![\s\S])", max_length=1024)]
"""Text that is shown to staff before they decide: nothing in it works on their terminal."""


class ArchivedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of an archive. path: "state/…" or "settings/…"; sha256: of the archived bytes; owner, group: names."""

    path: Line
    part: Part
    bytes: int
    sha256: str
    mode: int
    owner: str
    group: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first entry of an archive. archive: random id; box: its name; taken_at: ISO 8601, JST."""

    format: int
    archive: Line
    box: Line
    taken_at: Line
    version: Line
    files: list[ArchivedFile]


class Place(Enum):
    """What a restore does with a file."""

    STATE = "state"
    SETTINGS = "settings"
    BESIDE = "beside"
    NOWHERE = "nowhere"


def place_of(path: str, site_file: str, *, signed: bool) -> Place:
    """Where the archive's ``path`` goes. site_file: name of the site file on this machine. An unsigned archive brings
    records alone: its settings are laid beside, for staff to read, and it does not say whom this box believes.
    """
    root, _, name = path.partition("/")
    if root == "state":
        first = name.split("/", 1)[0]
        wanted = choose(PurePosixPath(name), b"") is not None and (signed or first != IDENTITY_FOLDER)
        return Place.STATE if wanted else Place.NOWHERE
    if name.startswith(_RENDERED):
        return Place.NOWHERE
    return Place.SETTINGS if signed and (name in TRUSTED_SETTINGS or name == site_file) else Place.BESIDE


def safe(path: str) -> bool:
    """Whether an archive's path lies below "state" or "settings"."""
    parts = path.split("/")
    return len(parts) > 1 and parts[0] in ("state", "settings") and not any(p in ("", ".", "..") for p in parts)


def to_delete(names: list[str], box: str, keep: int) -> list[str]:
    """Archives of ``box`` beyond its newest ``keep`` (at least one). Their names carry the time, so they sort by it."""
    ours = sorted((name for name in names if archive_of(name) == box), key=lambda name: name.rpartition(".")[0])
    return ours[: max(0, len(ours) - max(1, keep))]


def archive_name(box: str, stamp: str) -> str:
    """``stamp``: UTC, 20261123T041500Z."""
    return f"hiroba-{box}-{stamp}.backup"


def cut_off(names: list[str], box: str) -> list[str]:
    """Incomplete archives of ``box``: being written, or left by an interrupted back-up."""
    parts = ((name, name.removeprefix(".").removesuffix(".new")) for name in names)
    return sorted(name for name, whole in parts if name == temporary_name(whole) and archive_of(whole) == box)


def archive_of(name: str) -> str | None:
    """The box whose archive ``name`` is, or None when it is not an archive."""
    found = re.fullmatch(r"hiroba-(.+)-[0-9]{8}T[0-9]{6}Z\.(?:backup|age)", name, re.ASCII)
    return found[1] if found else None
