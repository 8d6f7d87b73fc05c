"""``hiroba test``: the whole suite or one group, through pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from provisioning.errors import CheckoutNeeded

GROUPS = {
    "unit": ("device", "kiosk", "captive_portal", "provisioning"),
    "contract": ("contract",),
    "journeys": ("journeys", "docs"),
    "net": ("net",),
    "browser": ("browser",),
    "boot": ("boot",),
}
"""Group -> folders under tests/."""


@click.command("test", context_settings={"ignore_unknown_options": True})
@click.option("--long", "long_", is_flag=True, help="Run the long campaigns too.")
@click.option("--pictures", is_flag=True, help="Instead: take the pictures of the READMEs (docs/pictures) anew.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[GROUP] [-- PYTEST ...]")
def command(long_: bool, pictures: bool, arguments: tuple[str, ...]) -> None:
    """Run all tests, or one GROUP: unit, contract, journeys, net, browser, boot. What follows -- goes to pytest."""
    tests = Path(__file__).parents[2] / "tests"
    if not tests.is_dir():
        raise CheckoutNeeded(command="test", folder="tests")
    if pictures:
        made = subprocess.run([sys.executable, "-m", "tests.browser.pictures"], cwd=tests.parent, check=False)
        sys.exit(made.returncode)
    group, rest = split(arguments)
    folders = [str(tests / name) for name in GROUPS[group] if (tests / name).is_dir()] if group else [str(tests)]
    command_line = [sys.executable, "-m", "pytest", *folders, *(["--long"] if long_ else []), *rest]
    sys.exit(subprocess.run(command_line, cwd=tests.parent, check=False).returncode)


def split(arguments: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The group, if the first argument names one, and what is pytest's. Raises click.UsageError for another word."""
    if not arguments or arguments[0].startswith("-"):
        return None, arguments
    if arguments[0] not in GROUPS:
        raise click.UsageError(f"{arguments[0]!r} is no group; the groups are: {' '.join(GROUPS)}")
    return arguments[0], arguments[1:]
