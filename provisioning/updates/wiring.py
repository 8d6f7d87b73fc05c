"""The installer of a real box: systemd, the kiosk's page, the audit."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from device.clock import SystemClock
from provisioning.box.health import HealthWait, command_check, url_check
from provisioning.box.install.units import wanted
from provisioning.box.kiosk_screen import IDLE_SCREENS, kiosk_screen
from provisioning.site.model import Site
from provisioning.updates.choice import Box
from provisioning.updates.client import Client, fetcher_for
from provisioning.updates.environment import fill
from provisioning.updates.errors import ActivationFailed, TrustMisplaced
from provisioning.updates.installer import Installer, Ports, Timeouts
from provisioning.updates.local_commands import Commands, UpdateCommands
from provisioning.updates.manifest import this_platform
from provisioning.updates.record import Record
from provisioning.updates.running import running, units_check
from provisioning.updates.settings import UpdateSettings
from provisioning.updates.slots import Slots
from provisioning.updates.steps import Step

_TELL_SECONDS = 300.0
TRUST_FOLDER = Path("/etc/hiroba")
"""A site file may come on a stick; what it is held against may not."""


def open_client(source: str, settings: UpdateSettings, trust: Path | None, slots: Slots) -> Client:
    """One check of ``source``. trust: named by root on the command line. Raises SourceUnreachable for an address that
    is none, TrustMisplaced when the site file names a root of trust outside the folder that is root's own.
    """
    pinned = trust or Path(settings.trust)
    if trust is None and (".." in pinned.parts or not pinned.is_relative_to(TRUST_FOLDER)):
        raise TrustMisplaced(file=pinned)
    return Client(
        source,
        fetcher_for(source, Path(settings.cafile) if settings.cafile else None),
        trust=pinned,
        memory=slots.updates / "trust",
        clock=SystemClock(),
    )


def build_installer(
    slots: Slots,
    site: Site,
    record: Record,
    after_good_failed: Callable[[str], None],
    *,
    commands: UpdateCommands,
    step: Callable[[Step], None] | None = None,
) -> Installer:
    """step: told before each step, instead of the journal (the drill stops there)."""
    settings = site.updates
    ports = Ports(
        fill=fill,
        lay=partial(_all, commands.lay),
        restart=partial(_all, commands.restart),
        healthy=partial(_healthy, site, commands.health),
        after_good=partial(_tell_others, commands.after_good, after_good_failed),
        running=lambda: running(wanted(site, screen=True)),
        idle=lambda: kiosk_screen((site.kiosk.host, site.kiosk.port)) in {None, *IDLE_SCREENS},
        step=step or record.step,
        tell=record.tell,
    )
    return Installer(slots, Box(site.box.name, this_platform()), ports, Timeouts(health=settings.health_seconds))


def _healthy(site: Site, commands: Commands, units: tuple[str, ...], seconds: float) -> str:
    """What site file and root say, else the kiosk's own page and the target; and every unit that ran before."""
    urls = site.updates.health_urls
    if not urls and not commands:
        urls = (f"http://{site.kiosk.host}:{site.kiosk.port}/state",)
        commands = (("systemctl", "is-active", "--quiet", "hiroba.target"),)
    checks = [units_check(units)] if units else []
    return HealthWait([*checks, *map(url_check, urls), *map(command_check, commands)], seconds).wait()


def _all(commands: Sequence[Sequence[str]], seconds: float) -> None:
    """One after another; raises ActivationFailed at the first that fails or takes too long."""
    for words in commands:
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=seconds)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ActivationFailed(reason=f"{words[0]}: {type(error).__name__}") from error
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise ActivationFailed(reason=f"{' '.join(words)}: {said[-1] if said else f'exit {done.returncode}'}")


def _tell_others(commands: Sequence[Sequence[str]], failed: Callable[[str], None]) -> None:
    """The release is good whether or not others take note of it: their failure is told, and changes nothing."""
    try:
        _all(commands, _TELL_SECONDS)
    except ActivationFailed as error:
        failed(str(error.facts["reason"]))
