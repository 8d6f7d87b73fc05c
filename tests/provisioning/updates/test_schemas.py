"""schemas.json says what the code says, of every database there is."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from device.migrations import Schema
from device.store import Store
from provisioning.commands.bundle import command
from provisioning.updates import schemas

ROOT = Path(__file__).parents[3]
ROOMS = ("device", "kiosk", "captive_portal", "provisioning")


def test_the_file_is_fresh() -> None:
    """Whoever adds a migration writes it anew: ./hiroba bundle schemas > provisioning/updates/schemas.json"""
    assert CliRunner().invoke(command, ["schemas"]).output == (ROOT / schemas.FILE).read_text("utf-8")
    assert schemas.read(ROOT) == schemas.schemas()


def test_every_list_of_migrations_that_a_store_is_opened_with_is_among_them() -> None:
    texts = [path.read_text("utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    opened = {name for text in texts for name in re.findall(r"\bStore\(.*?\b([A-Z_]*MIGRATIONS)\)", text)}
    listed = (ROOT / "provisioning/updates/schemas.py").read_text("utf-8")
    assert opened - {"MIGRATIONS"} <= set(re.findall(r"\b([A-Z_]+_MIGRATIONS)\b", listed))
    assert len(schemas.migrations()) >= 8


def test_every_database_can_be_made_anew_and_opened_again(tmp_path: Path) -> None:
    for name, steps in schemas.migrations().items():
        for _ in range(2):
            Store(tmp_path / f"{name}.db", steps).close()


def test_a_tree_from_before_schemas_were_told_says_nothing(tmp_path: Path) -> None:
    assert schemas.read(tmp_path) == {}
    (tmp_path / schemas.FILE).parent.mkdir(parents=True)
    for broken in ("{", '{"kiosk": [1]}', '{"kiosk": {"version": 1}}'):
        (tmp_path / schemas.FILE).write_text(broken)
        assert schemas.read(tmp_path) == {}


def test_both_directions_must_be_open() -> None:
    three, four = {"kiosk": Schema(3, 3, 3)}, {"kiosk": Schema(4, 4, 4)}
    assert schemas.without_return(four, three) == schemas.without_return(three, four) == ["kiosk"]
    assert schemas.without_return({"kiosk": Schema(4, 3, 4)}, three) == []
