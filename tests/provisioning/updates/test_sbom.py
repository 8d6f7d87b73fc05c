"""The list of components is whole, in the standard's form, the same twice, and links no GPL or AGPL."""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from provisioning.cli import hiroba
from provisioning.updates.sbom import (
    LICENCES_FILE,
    SBOM_FILE,
    as_cyclonedx,
    as_list,
    components,
    exceptions,
    is_allowed,
    locked,
    not_allowed,
    on_boxes,
    read_known,
)

ROOT = Path(__file__).parents[3]
LOCK, PACKAGES = ((ROOT / name).read_text("utf-8") for name in ("requirements.lock", "provisioning/packages.txt"))
KNOWN = read_known(ROOT)
FOUND = components(LOCK, PACKAGES, KNOWN)


def test_every_line_of_the_lock_and_every_package_of_a_box_is_listed() -> None:
    lines = [line for line in LOCK.splitlines() if re.match(r"[a-z]", line) and "win32" not in line]
    assert len([one for one in FOUND if one.source == "pypi"]) == len(lines)
    assert all(one.hashes for one in FOUND if one.source == "pypi")
    assert {"nginx", "chromium", "pcscd"} <= {one.name for one in FOUND if one.source == "debian"}


def test_nothing_is_linked_under_a_licence_that_is_not_allowed_but_what_is_named_with_its_reason() -> None:
    assert {one.name for one in not_allowed(FOUND)} == set(exceptions(KNOWN))


def test_no_component_is_known_that_nobody_ships() -> None:
    assert set(KNOWN["python"]) - {"colorama", "tzdata"} == {name for name, _, _ in locked(LOCK)}
    assert set(KNOWN["debian"]) == set(on_boxes(PACKAGES))


@pytest.mark.parametrize("name", sorted({name for name, _, _ in locked(LOCK)}))
def test_what_is_written_down_does_not_contradict_the_package_itself(name: str) -> None:
    said = importlib.metadata.metadata(name)
    classes = said.get_all("Classifier") or []
    words = " ".join([*(said[key] or "" for key in ("License-Expression", "License") if key in said), *classes])
    assert "Affero" not in words
    gnu = "General Public License" in words or re.search(r"\bL?GPL", words[:200]) is not None
    assert gnu is str(KNOWN["python"][name]).startswith("LGPL"), words[:200]


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-2.0-only", False),
        ("AGPL-3.0-only", False),
        ("GPL-2.0-only OR MIT", True),
        ("MIT AND GPL-2.0-only", False),
        ("MIT AND (BSD-3-Clause)", True),
        ("", False),
    ],
)
def test_expressions(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) is allowed


def test_the_file_is_cyclonedx_and_the_same_twice() -> None:
    one, two = (as_cyclonedx(FOUND, "1.2.3", 1_800_000_000) for _ in range(2))
    assert one == two
    tree = json.loads(one)
    assert (tree["bomFormat"], tree["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", tree["serialNumber"])
    references = [part["bom-ref"] for part in tree["components"]]
    assert len(references) == len(set(references))
    assert set(tree["dependencies"][0]["dependsOn"]) == set(references)
    assert all(part["licenses"] and part["purl"] and part["type"] for part in tree["components"])


def test_the_list_for_people_has_a_line_for_each() -> None:
    assert len(as_list(FOUND).splitlines()) == len(FOUND) + 1


def test_the_command_writes_both(tmp_path: Path) -> None:
    done = CliRunner().invoke(hiroba, ["bundle", "sbom", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert {file.name for file in tmp_path.iterdir()} == {SBOM_FILE, LICENCES_FILE}


def test_a_component_under_another_licence_ends_the_command(tmp_path: Path) -> None:
    tree, known = tmp_path / "tree", "provisioning/updates/components.toml"
    for name in ("requirements.lock", "pyproject.toml", "provisioning/packages.txt", known):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text((ROOT / name).read_text("utf-8"))
    changed = (tree / known).read_text().replace('flask = "BSD-3-Clause"', 'flask = "AGPL-3.0-only"')
    (tree / known).write_text(changed)
    done = CliRunner().invoke(hiroba, ["bundle", "sbom", "--out", str(tmp_path / "out"), "--tree", str(tree)])
    assert done.exit_code == 1
    assert getattr(done.exception, "facts", {}).get("component") == "flask"
