"""``hiroba install``: this checkout becomes what the box runs. Safe to repeat."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from provisioning.box.install import slot as slots
from provisioning.box.install import usb_present
from provisioning.box.install.unit_files import (
    APPLICATION,
    BOOTED,
    enable,
    has_screen,
    install_files,
    run,
    stop_replaced_units,
)
from provisioning.commands.options import CONFIG
from provisioning.commands.renamed import say_renamed
from provisioning.errors import RootNeeded
from provisioning.site.model import Site
from provisioning.site.reading import read_site

_FILE = click.Path(path_type=Path, dir_okay=False)
CITYHALL = CONFIG.with_name("cityhall.toml")
FORMER_CITYHALL = CONFIG.with_name("fleet.toml")
ON_A_RUNNING_BOX = (("systemd-sysusers",), ("systemd-tmpfiles", "--create", "hiroba.conf"))
"""What a release's users and folders need; outside the update's own sandbox, which has no right to make users."""


@click.command("install")
@click.option("--site", type=_FILE, help="Site file of this box.")
@click.option("--cityhall", type=_FILE, help="City hall's server: file with [cityhall].")
@click.option("--fleet", type=_FILE, hidden=True, help="The former name of --cityhall.")
@click.option("--without-screen", is_flag=True, help="A box without touch screen: no cage, no Chromium.")
@click.option("--no-start", is_flag=True, help="Enable the units, start nothing.")
@click.option("--units-only", is_flag=True, help="Install the current slot's units anew; for updates ([updates] lay).")
def command(
    *,
    site: Path | None,
    cityhall: Path | None,
    fleet: Path | None,
    without_screen: bool,
    no_start: bool,
    units_only: bool,
) -> None:
    """Install the application into /opt/hiroba, its units beside the system's, and start hiroba.target."""
    if os.geteuid() != 0:
        raise RootNeeded(command="hiroba install", reason="/opt と /etc に書くため / it writes to /opt and /etc")
    if fleet:
        say_renamed("--fleet", "--cityhall")
    cityhall = cityhall or fleet
    settings = None if cityhall else read_site(site or CONFIG)
    if units_only:
        _install_units(settings)
        return
    slot = slots.next_slot(APPLICATION)
    slots.fill(slot, Path(__file__).resolve().parents[2])
    stop_replaced_units()
    install_files(slot / "systemd", settings)
    slots.make_current(slot)
    run("systemd-sysusers")
    _keep(site, CONFIG)
    _keep(cityhall, CITYHALL)
    _take_over()
    run("systemd-tmpfiles", "--create", "hiroba.conf")
    _render(slot, settings)
    usb_present.install(settings, Path("/"))
    enable(slot / "systemd", settings, screen=settings is not None and settings.box.screen and not without_screen)
    if BOOTED.is_dir():
        run("systemctl", "daemon-reload")
        if not no_start:
            run("systemctl", "restart", "hiroba.target")
    click.echo(f"{slot}")


def _install_units(settings: Site | None) -> None:
    """Of the slot that is current: an update calls it on the way there and on the way back. Starts nothing of ours."""
    slot = (APPLICATION / "current").resolve()
    stop_replaced_units()
    install_files(slot / "systemd", settings)
    _take_over()
    _render(slot, settings)
    if BOOTED.is_dir():
        for words in ON_A_RUNNING_BOX:
            run("systemd-run", "--quiet", "--wait", "--collect", *words)
        run("systemctl", "daemon-reload")
        run("systemctl", "restart", "systemd-sysctl.service")
    enable(slot / "systemd", settings, screen=has_screen(), others=True)


def _take_over() -> None:
    """The settings of city hall's service from where the release before looked for them; that file stays for it."""
    if FORMER_CITYHALL.exists() and not CITYHALL.exists():
        shutil.copy2(FORMER_CITYHALL, CITYHALL)


def _render(slot: Path, settings: Site | None) -> None:
    """The Wi-Fi's files, as the slot's own code makes them."""
    if settings is not None and settings.wifi is not None:
        run(str(slot / ".venv/bin/hiroba"), "site", "render", "--out", str(CONFIG.parent / "wifi"))


def _keep(given: Path | None, target: Path) -> None:
    if given is not None and given.resolve() != target:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(given, target)
