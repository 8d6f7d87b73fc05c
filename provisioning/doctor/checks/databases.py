"""Damaged databases, and a restore that was not ended."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from device.health.finding import Finding, error, ok
from device.store_reading import connect_for_reading
from provisioning.backup.restore import STAGE
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Lets SQLite look through every database of the state folder."""
    files = sorted(path for path in box.state.glob("*/*.db") if path.parent.name != "virtual")
    damaged = [path.name for path in files if not _sound(path)]
    return judge(damaged, count=len(files), restoring=(box.state / STAGE).exists())


def judge(damaged: list[str], *, count: int, restoring: bool) -> list[Finding]:
    """damaged: file names; count: databases in all; restoring: a restore was begun and not ended."""
    found = [error("restore.not_ended")] if restoring else []
    found += [error("database.damaged", file=name) for name in damaged]
    return found or [ok("database.sound", count=count)]


def _sound(path: Path) -> bool:
    try:
        with closing(connect_for_reading(path)) as database:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except (sqlite3.Error, OSError):
        return False
