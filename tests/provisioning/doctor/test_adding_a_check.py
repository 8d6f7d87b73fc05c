"""A check is added by its module, its words and a row of the table: nothing else knows it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from device.clock import JST, HeldClock
from device.health.finding import Finding
from provisioning.doctor import report
from provisioning.doctor.examination import examine
from provisioning.doctor.table import Check
from provisioning.doctor.words import words_in
from provisioning.site.reading import read_site

ROOT = Path(__file__).parents[3]
MODULE = '''"""Whether the door of the box is shut."""

from device.health.finding import Finding, ok, warning


def check(box) -> list[Finding]:
    """Reads what the door's contact wrote."""
    return [judge((box.state / "door").read_text().strip())]


def judge(contact: str) -> Finding:
    """contact: "open" or "shut"."""
    return ok("door.shut") if contact == "shut" else warning("door.open")
'''
WORDS = """
["door.shut".ja]
title = "扉は閉まっています"
["door.shut".en]
title = "The door is shut"

["door.open".ja]
title = "扉が開いています"
cause = "扉の接点が開いています。"
next = "扉を閉めてください。"
["door.open".en]
title = "The door is open"
cause = "The contact of the door is open."
next = "Shut the door."
"""


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Check]:
    """The row for a module and its words, written to a package of their own."""
    package = tmp_path / "plaza_door"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "door.py").write_text(MODULE, "utf-8")
    (package / "door.toml").write_text(WORDS, "utf-8")
    sys.path.insert(0, str(tmp_path))
    yield Check("door", importlib.import_module("plaza_door.door").check)
    sys.path.remove(str(tmp_path))
    for name in ("plaza_door.door", "plaza_door"):
        del sys.modules[name]


def look(folder: Path, row: Check) -> list[Finding]:
    site = read_site(ROOT / "tests/boot/site.toml")
    return examine(site, folder, HeldClock(datetime(2026, 11, 30, tzinfo=JST)), [row])


def test_two_files_and_a_row_make_a_check(door: Check, tmp_path: Path) -> None:
    (tmp_path / "door").write_text("open")
    text = report.as_text(look(tmp_path, door), words_in("plaza_door"))
    assert text.splitlines()[0] == "△ 扉が開いています / The door is open"
    assert "次に： 扉を閉めてください。" in text
    (tmp_path / "door").write_text("shut")
    assert [finding.code for finding in look(tmp_path, door)] == ["door.shut"]


def test_a_check_that_breaks_is_an_error_under_its_own_name(door: Check, tmp_path: Path) -> None:
    (found,) = look(tmp_path, door)
    assert (found.code, found.facts["check"]) == ("doctor.check_failed", "door")
