"""``hiroba test``: the whole suite or one group, through pytest. May import: provisioning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from provisioning.errors import CheckoutNeeded

GROUPS = {
    "unit": ("device", "kiosk", "captive_portal", "provisioning"),
    "contract": ("contract",),
    "journeys": ("journeys",),
    "net": ("net",),
    "browser": ("browser",),
    "boot": ("boot",),
}
"""Group -> folders under tests/."""


@click.command("test", context_settings={"ignore_unknown_options": True})
@click.argument("group", required=False, type=click.Choice(sorted(GROUPS)))
@click.option("--long", "long_", is_flag=True, help="Run the long campaigns too.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def command(group: str | None, long_: bool, pytest_arguments: tuple[str, ...]) -> None:
    """Run all tests, or one GROUP; what follows -- goes to pytest."""
    tests = Path(__file__).parents[2] / "tests"
    if not tests.is_dir():
        raise CheckoutNeeded(command="test", folder="tests")
    folders = [str(f) for name in GROUPS[group] if (f := tests / name).is_dir()] if group else [str(tests)]
    if not folders:
        click.echo(f"hiroba test {group}: no test of this group exists yet")
        sys.exit(0)
    command_line = [sys.executable, "-m", "pytest", *folders, *(["--long"] if long_ else []), *pytest_arguments]
    sys.exit(subprocess.run(command_line, cwd=tests.parent, check=False).returncode)
