"""Installs units and their like on a box, and removes those of an earlier release that this one does not have.

Wherever the power is cut, hiroba.target stays enabled and every file is whole.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection
from pathlib import Path

from device.files import atomic_symlink, atomic_write
from provisioning.box.install.modes import readable_by_all
from provisioning.box.install.units import (
    CITY_HALL,
    MASKED,
    MASKED_WITH_SCREEN,
    RECOVERY_UNITS,
    REPLACED_BY,
    SHIPPED,
    destinations,
    wanted,
)
from provisioning.box.render.browser import FIRST_PORT, browser_environment, browser_policy
from provisioning.box.render.services import drop_ins
from provisioning.errors import InstallStepFailed
from provisioning.site.model import Site

APPLICATION = Path("/opt/hiroba")
FOLDER = Path("etc/hiroba")
ENABLED = Path("etc/systemd/system")
SCREEN = "hiroba-kiosk-browser.service"
BOOTED = Path("/run/systemd/system")
"""Where systemd is process 1 (sd_booted(3))."""
_POLICY = Path("chromium/hiroba.json")
_ROOT = Path("/")


def install_files(shipped: Path, site: Site | None, root: Path = _ROOT) -> None:
    """Every file of ``shipped`` (a ``systemd`` folder) to its place, each whole or not at all; stale ones go."""
    with readable_by_all():
        _install_files(shipped, site, root)


def _install_files(shipped: Path, site: Site | None, root: Path) -> None:
    port = site.kiosk.port if site else FIRST_PORT
    places = destinations(shipped)
    for origin, target in places.items():
        text = (shipped / origin).read_text("utf-8")
        _write(root / target, browser_policy(text, port) if origin == _POLICY else text)
    for name, made in (drop_ins(site) if site else {}).items():
        _write(root / name, made.text)
    _write(root / FOLDER / "browser.env", browser_environment(port))
    for stale in _ours(root) - set(places.values()):
        (root / stale).unlink()
    link = root / "usr/local/bin/hiroba"
    link.parent.mkdir(parents=True, exist_ok=True)
    atomic_symlink(link, APPLICATION / "current/.venv/bin/hiroba", durable=False)
    os.sync()


def _ours(root: Path) -> set[Path]:
    """Files with our name among those that are shipped: what is made for one box stands in /etc."""
    found = [file.relative_to(root) for file in (root / SHIPPED).rglob("*") if file.is_file()]
    return {file for file in found if any(part.startswith("hiroba") for part in file.parts)}


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, text.encode("utf-8"), mode=0o644, durable=False)


def enable(shipped: Path, site: Site | None, *, screen: bool, others: bool = False) -> None:
    """What the site wants, or city hall's server; then, and not before, nothing of what was enabled once. others: what
    staff enabled beside it stays, while this release has it.
    """
    units = units_to_enable(site, enabled(_ROOT), screen=screen)
    run("systemctl", "enable", "--quiet", *units)
    for stale in stale_links(_ROOT, shipped, None if others else units):
        stale.unlink()
    run("systemctl", "mask", "--quiet", *MASKED, *(MASKED_WITH_SCREEN if screen else ()))


def units_to_enable(site: Site | None, before: Collection[str], *, screen: bool) -> list[str]:
    """What the site wants, or city hall's server; and under its name of today what was enabled under a former one.
    before: the units that are enabled now.
    """
    units = [*(wanted(site, screen=screen) if site else ["hiroba.target", *CITY_HALL]), *RECOVERY_UNITS]
    units += [unit for former, now in REPLACED_BY.items() if former in before for unit in now]
    return list(dict.fromkeys(units))


def enabled(root: Path) -> set[str]:
    """Our units that start with the box."""
    return {link.name for link in (root / ENABLED).glob("*.wants/hiroba*")}


def stop_replaced_units() -> None:
    """Units of an earlier release hold the ports that those in their place need."""
    former = [unit for unit in REPLACED_BY if unit in enabled(_ROOT)]
    if former and BOOTED.is_dir():
        subprocess.run(["systemctl", "stop", *former], capture_output=True, check=False)


def stale_links(root: Path, shipped: Path, units: Collection[str] | None) -> list[Path]:
    """Links of units that are not among ``units`` (None: any), that this release has not, or no more there."""
    found = sorted((root / ENABLED).glob("*.wants/hiroba*"))
    return [link for link in found if not _wanted_there(link, shipped / "system", units)]


def _wanted_there(link: Path, system: Path, units: Collection[str] | None) -> bool:
    if units is not None and link.name not in units:
        return False
    return Path(link.parent.name, link.name) in enablement_links(system, link.name)


def enablement_links(units: Path, unit: str) -> list[Path]:
    """What ``systemctl enable`` makes of ``unit``, below /etc/systemd/system: from WantedBy= in folder ``units``.

    Nothing for a unit that is not there.
    """
    name = unit.partition("@")[0] + "@.service" if "@" in unit else unit
    lines = (units / name).read_text("utf-8").splitlines() if (units / name).exists() else []
    wanting = [word for line in lines if line.startswith("WantedBy=") for word in line.partition("=")[2].split()]
    return [Path(f"{target}.wants") / unit for target in wanting]


def has_screen(root: Path = _ROOT) -> bool:
    """Whether the browser is enabled: an update leaves it as it was."""
    return any((root / ENABLED).glob(f"*.wants/{SCREEN}"))


def run(*words: str) -> None:
    """Raises InstallStepFailed with what the program said."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise InstallStepFailed(step=" ".join(words), reason=said[-1] if said else f"exit {done.returncode}")
