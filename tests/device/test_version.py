"""The version that runs is the one that pyproject.toml names, and stands nowhere else."""

from __future__ import annotations

import tomllib
from pathlib import Path

from device.version import version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_it_is_the_version_of_the_distribution() -> None:
    assert version() == PROJECT["version"]


def test_no_module_says_a_version_of_its_own() -> None:
    modules = [
        file for floor in ("device", "kiosk", "captive_portal", "provisioning") for file in (ROOT / floor).rglob("*.py")
    ]
    said = f'"{PROJECT["version"]}"'
    assert [file.name for file in modules if said in file.read_text("utf-8")] == []
