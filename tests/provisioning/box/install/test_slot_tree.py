"""What a box gets of the source: no benches, no demo; what needs them says so, and the virtual hardware works."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.box.install.slot import FOR_DEVELOPERS, copy_tree, goes_on_boxes, tree_files

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def slot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slot")
    copy_tree(ROOT, folder)
    return folder


def hiroba(slot: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``hiroba words…`` with the slot's own tree."""
    command = [sys.executable, "-B", "-m", "provisioning", *words]
    environment = {**os.environ, "PYTHONPATH": str(slot)}
    return subprocess.run(command, cwd=slot, env=environment, capture_output=True, text=True, check=False)


def test_a_slot_has_the_application_and_neither_benches_nor_demo(slot: Path) -> None:
    files = {path.relative_to(slot) for path in slot.rglob("*") if path.is_file()}
    assert files == set(tree_files(ROOT))
    assert {Path("provisioning/cli.py"), Path("systemd/system/hiroba-kiosk.service"), Path("hiroba")} <= files
    assert not [path for path in files if "tests" in path.parts or path.parts[:2] == ("provisioning", "bench")]


@pytest.mark.parametrize("path", [*FOR_DEVELOPERS, "provisioning/demo/once.py", "device/.x", "device/a.pyc"])
def test_what_is_for_developers_goes_on_no_box(path: str) -> None:
    assert not goes_on_boxes(Path(path))


@pytest.mark.parametrize("command", ["bench", "demo"])
def test_a_command_whose_room_is_not_there_says_so_and_is_not_offered(slot: Path, command: str) -> None:
    told = hiroba(slot, command)
    assert (told.returncode, told.stdout, "Traceback" in told.stderr) == (1, "", False)
    assert f"{command} works in a source checkout only." in told.stderr
    assert f"\n  {command} " not in hiroba(slot, "--help").stdout


def test_the_virtual_hardware_of_a_training_terminal_works_on_a_box(slot: Path, tmp_path: Path) -> None:
    empty = hiroba(slot, "virtual", "receipt", "paper-out", "--state", str(tmp_path))
    assert empty.returncode == 0, empty.stderr
    (state,) = (tmp_path / "virtual/receipt").glob("*.json")
    assert "paper_out" in json.dumps(json.loads(state.read_text()))


def test_every_command_of_a_box_can_be_loaded_without_them(slot: Path) -> None:
    names = re.findall(r"(?m)^  ([a-z-]+) ", hiroba(slot, "--help").stdout.partition("Commands:")[2])
    assert {"virtual", "site", "apply", "doctor"} <= set(names)
    broken = [name for name in names if hiroba(slot, name, "--help").returncode]
    assert broken == []
