"""What a release of the update drill changes, given the tree of its bundle and its version."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from device.migrations import Schema
from provisioning.updates.schemas import FILE, as_text, read

KIOSK = Path("systemd/system/hiroba-kiosk.service")
SCHEMA = Path("kiosk/schema.py")
EXTRA = Path("systemd/system/hiroba-drill.service")
FALLS_OVER = (
    'ExecStart=/opt/hiroba/current/.venv/bin/python -IBc "from pathlib import Path; from device.store import Store;'
    " from kiosk.schema import KIOSK_MIGRATIONS as steps;"
    " Store(Path('/var/lib/hiroba/kiosk/kiosk.db'), steps); raise SystemExit(1)\""
)
"""In place of the kiosk: opens its database, and so migrates it, then ends."""


def healthy(tree: Path, version: str) -> None:
    """Another version whose kiosk's unit says so, with a unit that no other release has."""
    _rewrite(tree / "pyproject.toml", r'(?m)^version = ".*"', f'version = "{version}"')
    _rewrite(tree / KIOSK, r"(?m)^\[Service\]$", f"[Service]\nEnvironment=DRILL={version}")
    (tree / EXTRA).write_text(f"[Unit]\nDescription=TEST {version}\n[Service]\nExecStart=/usr/bin/true\n")


def ill(tree: Path, version: str) -> None:
    """Its kiosk falls over again and again."""
    healthy(tree, version)
    _rewrite(tree / KIOSK, r"(?m)^ExecStart=.*", FALLS_OVER)


def ill_after_migrating(tree: Path, version: str) -> None:
    """The same, and by then it has put a table into the kiosk's database."""
    ill(tree, version)
    with (tree / SCHEMA).open("a", encoding="utf-8") as schema:
        schema.write("from device.store import additive\n")
        schema.write('KIOSK_MIGRATIONS = (*KIOSK_MIGRATIONS, additive("CREATE TABLE drill (what TEXT)"))\n')
    _says(tree, lambda was: Schema(was.version + 1, was.compatible_from, was.understands + 1))


def breaking(tree: Path, version: str) -> None:
    """It says of itself that no former release can read what it writes."""
    healthy(tree, version)
    _says(tree, lambda was: Schema(was.version + 1, was.version + 1, was.understands + 1))


def _says(tree: Path, change: Callable[[Schema], Schema]) -> None:
    found = read(tree)
    (tree / FILE).write_text(as_text(found | {"kiosk": change(found["kiosk"])}), "utf-8")


def _rewrite(file: Path, pattern: str, text: str) -> None:
    changed, count = re.subn(pattern, lambda _: text, file.read_text("utf-8"), count=1)
    assert count == 1, (file, pattern)
    file.write_text(changed, "utf-8")
