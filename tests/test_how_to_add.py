"""CONTRIBUTING's lists of what one touches to add something are true of what was added last."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("device", "kiosk", "captive_portal", "provisioning")
NOT_PRODUCT = ("provisioning/bench/", "provisioning/demo/", "provisioning/examples/")
"""They use what there is and are no place where anything is registered."""
HEADING = re.compile(r"\*\*(An? [^*]+)\*\* \(example: `(\w+)`(, only)?; `([^`]+)`.*?```\n(.*?)```", re.DOTALL)


class HowTo(NamedTuple):
    """One list. only: no other file of the product names the example; files: pattern -> what stands behind it."""

    title: str
    example: str
    only: bool
    test: str
    files: dict[str, str]

    def paths(self, pattern: str) -> list[Path]:
        """The files of the example that a line of the list means."""
        return sorted(ROOT.glob(pattern.replace("NAME", self.example)))


def how_tos() -> list[HowTo]:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## How to add")[2]
    return [
        HowTo(title, example, bool(only), test, {line.split()[0]: line for line in lines.splitlines()})
        for title, example, only, test, lines in HEADING.findall(text)
    ]


HOW_TOS = how_tos()


def naming(word: str) -> set[str]:
    found = subprocess.run(
        ["grep", "-rlwI", "--exclude-dir=__pycache__", word, *PRODUCT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return {name for name in found.stdout.split() if not name.startswith(NOT_PRODUCT) and not name.endswith(".md")}


def test_all_eight_are_told() -> None:
    assert [how.title for how in HOW_TOS] == [
        "A kind of certificate",
        "A language of the kiosk",
        "A service of the kiosk",
        "A receipt printer",
        "A log-in method of the portal",
        "A key of the site file",
        "A check of the doctor",
        "A page of the staff",
    ]


@pytest.mark.parametrize("how", HOW_TOS, ids=lambda how: how.title)
def test_every_file_of_a_list_is_there_for_its_example(how: HowTo) -> None:
    assert [pattern for pattern in how.files if not how.paths(pattern)] == []
    assert (ROOT / how.test).is_file()


@pytest.mark.parametrize("how", HOW_TOS, ids=lambda how: how.title)
def test_a_row_names_the_example(how: HowTo) -> None:
    rows = [path for pattern, line in how.files.items() if " row" in line for path in how.paths(pattern)]
    assert [str(path) for path in rows if not re.search(rf"\b{how.example}\b", path.read_text("utf-8"))] == []


@pytest.mark.parametrize("how", [how for how in HOW_TOS if how.only], ids=lambda how: how.title)
def test_no_other_file_of_the_product_names_the_example(how: HowTo) -> None:
    listed = {str(path.relative_to(ROOT)) for pattern in how.files for path in how.paths(pattern)}
    assert naming(how.example) - listed == set()
