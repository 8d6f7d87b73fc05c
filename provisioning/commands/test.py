"""``hiroba test``: the whole suite or one group, through pytest."""

from __future__ import annotations

import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import click

from provisioning.errors import CheckoutNeeded

ROOT = Path(__file__).parents[2]
GROUPS = {
    "unit": ("device", "kiosk", "captive_portal", "provisioning"),
    "contract": ("contract",),
    "journeys": ("journeys", "docs"),
    "net": ("net",),
    "browser": ("browser",),
    "boot": ("boot",),
}
"""Group -> folders under tests/."""
ATTACKS = "attacks"
"""The group of every test of an attack, in whichever folder: by its mark (tests/conftest.py)."""


@click.command("test", context_settings={"ignore_unknown_options": True})
@click.option("--long", "long_", is_flag=True, help="Run the long campaigns too.")
@click.option("--pictures", is_flag=True, help="Instead: take the pictures of the READMEs (docs/pictures) anew.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[GROUP | FILE[::NAME] ...] [-- PYTEST ...]")
def command(long_: bool, pictures: bool, arguments: tuple[str, ...]) -> None:
    """Run all tests, or one GROUP (unit, contract, journeys, net, browser, boot, attacks), or FILEs:
    tests/device/test_store.py, or one test of a file, FILE::NAME. What follows -- goes to pytest. What is skipped
    because this machine lacks something is told at the end, in one line.
    """
    tests = ROOT / "tests"
    if not tests.is_dir():
        raise CheckoutNeeded(command="test", folder="tests")
    if pictures:
        made = subprocess.run([sys.executable, "-m", "tests.browser.pictures"], cwd=tests.parent, check=False)
        sys.exit(made.returncode)
    where, rest = split(arguments)
    found = where or ("tests",)
    command_line = [sys.executable, "-m", "pytest", *found, *(["--long"] if long_ else []), *rest]
    sys.exit(subprocess.run(command_line, cwd=tests.parent, check=False).returncode)


def split(arguments: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where to look, from the root of the checkout, and what is pytest's. Raises click.UsageError for another word."""
    if arguments and arguments[0] == ATTACKS:
        return ("tests",), ("-m", ATTACKS, *arguments[1:])
    if arguments and arguments[0] in GROUPS:
        return tuple(f"tests/{folder}" for folder in GROUPS[arguments[0]]), arguments[1:]
    files = tuple(takewhile(lambda word: not word.startswith("-"), arguments))
    for file in files:
        if not (ROOT / file.partition("::")[0]).exists():
            raise click.UsageError(
                f"{file!r} is neither a file nor a group; the groups are: {' '.join((*GROUPS, ATTACKS))}"
            )
    return files, arguments[len(files) :]
