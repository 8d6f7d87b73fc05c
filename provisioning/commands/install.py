"""``hiroba install``: this checkout becomes what the box runs. Safe to repeat. May import: provisioning."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import click

from provisioning.commands.options import CONFIG
from provisioning.errors import InstallStepFailed, RootNeeded
from provisioning.install import slot as slots
from provisioning.install.units import (
    AFTER_A_CUT,
    FIRST_PORT,
    MASKED,
    MASKED_WITH_SCREEN,
    browser_environment,
    browser_policy,
    destinations,
    drop_ins,
    wanted,
)
from provisioning.site import Site, read_site

APPLICATION = Path("/opt/hiroba")
FLEET = CONFIG.with_name("fleet.toml")
BOOTED = Path("/run/systemd/system")
"""Where systemd is process 1 (sd_booted(3))."""
_POLICY = Path("chromium/hiroba.json")


@click.command("install")
@click.option("--site", type=click.Path(path_type=Path, dir_okay=False), help="Site file of this box.")
@click.option("--fleet", type=click.Path(path_type=Path, dir_okay=False), help="City hall's server: file with [fleet].")
@click.option("--without-screen", is_flag=True, help="A box without touch screen: no cage, no Chromium.")
@click.option("--no-start", is_flag=True, help="Enable the units, start nothing.")
@click.option("--units-only", is_flag=True, help="Lay the current slot's units anew; for updates ([updates] lay).")
def command(site: Path | None, fleet: Path | None, without_screen: bool, no_start: bool, units_only: bool) -> None:
    """Lay the application into /opt/hiroba, its units beside the system's, and start hiroba.target."""
    if os.geteuid() != 0:
        raise RootNeeded(command="hiroba install", reason="/opt と /etc に書くため / it writes to /opt and /etc")
    settings = None if fleet else read_site(site or CONFIG)
    if units_only:
        _lay((APPLICATION / "current").resolve() / "systemd", settings)
        return
    slot = slots.next_slot(APPLICATION)
    slots.fill(slot, Path(__file__).resolve().parents[2])
    _lay(slot / "systemd", settings)
    slots.make_current(slot)
    _run("systemd-sysusers")
    _keep(site, CONFIG)
    _keep(fleet, FLEET)
    _run("systemd-tmpfiles", "--create", "hiroba.conf")
    if settings is not None and settings.wifi is not None:
        _run(str(slot / ".venv/bin/hiroba"), "site", "render", "--out", str(CONFIG.parent / "wifi"))
    _enable(settings, screen=settings is not None and settings.box.screen and not without_screen)
    if BOOTED.is_dir():
        _run("systemctl", "daemon-reload")
        if not no_start:
            _run("systemctl", "restart", "hiroba.target")
    click.echo(f"{slot}")


def _lay(shipped: Path, site: Site | None) -> None:
    """Every file of ``systemd/`` to its place, each whole or not at all."""
    port = site.kiosk.port if site else FIRST_PORT
    for origin, target in destinations(shipped).items():
        text = (shipped / origin).read_text("utf-8")
        _write(Path("/") / target, browser_policy(text, port) if origin == _POLICY else text)
    for target, text in (drop_ins(site) if site else {}).items():
        _write(Path("/") / target, text)
    _write(CONFIG.parent / "browser.env", browser_environment(port))
    link = Path("/usr/local/bin/hiroba")
    link.unlink(missing_ok=True)
    link.symlink_to(APPLICATION / "current/.venv/bin/hiroba")


def _keep(given: Path | None, target: Path) -> None:
    if given is not None and given.resolve() != target:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(given, target)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(text, "utf-8")
    fresh.chmod(0o644)
    fresh.replace(file)


def _enable(site: Site | None, *, screen: bool) -> None:
    """What the site wants, or city hall's server, and nothing of before."""
    for link in Path("/etc/systemd/system").glob("*.wants/hiroba*"):
        link.unlink()
    units = wanted(site, screen=screen) if site else ["hiroba.target", "hiroba-fleet.service"]
    _run("systemctl", "enable", "--quiet", *units, *AFTER_A_CUT)
    _run("systemctl", "mask", "--quiet", *MASKED, *(MASKED_WITH_SCREEN if screen else ()))


def _run(*words: str) -> None:
    """Raises InstallStepFailed with what the program said."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise InstallStepFailed(step=" ".join(words), reason=said[-1] if said else f"exit {done.returncode}")
