"""``hiroba bundle`` on a box: install, status, rollback, settle, recover; the publisher's half is bundle_publish.

May import: provisioning.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from device.clock import SystemClock
from provisioning.bundle.client import Client, fetcher_for
from provisioning.bundle.environment import fill
from provisioning.bundle.errors import ActivationFailed, SourceUnreachable
from provisioning.bundle.health import Gate, command_check, url_check
from provisioning.bundle.installer import Box, Installer, Outcome, Ports, report
from provisioning.bundle.manifest import this_platform
from provisioning.bundle.settings import UpdateSettings
from provisioning.bundle.slots import Slots
from provisioning.commands.bundle_publish import COMMANDS
from provisioning.commands.options import CONFIG
from provisioning.errors import RootNeeded
from provisioning.site import Site, read_site

APPLICATION = Path("/opt/hiroba")
WORDS = {
    Outcome.INSTALLED: "新しい版が動いています / the new release runs",
    Outcome.UP_TO_DATE: "最新です / up to date",
    Outcome.HELD: "この端末の番はまだです / a newer release waits for this box's wave",
    Outcome.REFUSED_BEFORE: "この端末では動かなかった版だけです / only releases that failed here before",
}

_config = click.option(
    "--config", type=click.Path(path_type=Path), default=CONFIG, show_default=True, help="Site file."
)
_root = click.option(
    "--application",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),  # it is written into the slot
    default=APPLICATION,
    show_default=True,
    help="Where the slots are.",
)
_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group("bundle")
def command() -> None:
    """Signed updates of the application: make, publish, install, go back."""


for _publishing in COMMANDS:
    command.add_command(_publishing)


@command.command()
@_config
@_root
@click.option("--from", "source", default="", help="https:// address or folder; else [updates] source.")
@click.option("--trust", type=click.Path(path_type=Path), help="Pinned root metadata; else [updates] trust.")
@_json
def install(config: Path, application: Path, source: str, trust: Path | None, as_json: bool) -> None:
    """Take the newest release for this box, try it, and keep it or go back within a minute."""
    site = read_site(config)
    settings = site.updates
    wanted = source or settings.source
    if not wanted:
        raise SourceUnreachable(source="-", reason="[updates] source, --from")
    slots = Slots(application)
    client = Client(
        wanted,
        fetcher_for(wanted, Path(settings.cafile) if settings.cafile else None),
        trust=trust or Path(settings.trust),
        memory=slots.updates / "trust",
        clock=SystemClock(),
    )
    with _rights("hiroba bundle install"):
        outcome = _installer(slots, site).update(client)
    _tell(slots, outcome, as_json)


@command.command()
@_root
@_json
def status(application: Path, as_json: bool) -> None:
    """What stands in the slots, and which releases were taken back."""
    facts = report(Slots(application))
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else _table(facts))


@command.command()
@_config
@_root
@_json
def rollback(config: Path, application: Path, as_json: bool) -> None:
    """Send the present release away: the one in the other slot runs again, if it is healthy."""
    slots = Slots(application)
    with _rights("hiroba bundle rollback"):
        _installer(slots, read_site(config)).return_to_former()
    _tell(slots, Outcome.INSTALLED, as_json)


@command.command()
@_config
@_root
@_json
def settle(config: Path, application: Path, as_json: bool) -> None:
    """After a start of the box: end a trial that a power cut left open."""
    slots = Slots(application)
    with _rights("hiroba bundle settle"):
        outcome = _installer(slots, read_site(config)).settle()
    if outcome:
        _tell(slots, outcome, as_json)


@command.command()
@_config
@_root
def recover(config: Path, application: Path) -> None:
    """Before anything else at a start of the box: go back when a release on trial keeps restarting it."""
    with _rights("hiroba bundle recover"):
        if _installer(Slots(application), read_site(config)).recover():
            click.echo("前の版に戻しました / went back to the former release")


@dataclass(frozen=True)
class _rights:  # noqa: N801 - reads as a block
    """A refusal of the system becomes RootNeeded."""

    command: str

    def __enter__(self) -> None:
        """Nothing to do before."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PermissionError):
            raise RootNeeded(command=self.command, reason=f"{error.filename}") from error


def _installer(slots: Slots, site: Site) -> Installer:
    settings = site.updates
    urls, commands = _health(site, settings)
    gate = Gate([*map(url_check, urls), *map(command_check, commands)], settings.health_seconds)
    ports = Ports(
        fill=fill,
        lay=partial(_all, settings.lay),
        restart=partial(_all, settings.restart),
        healthy=gate.wait,
        after_good=partial(_tell_others, settings.after_good),
    )
    return Installer(slots, Box(site.box.name, this_platform()), ports)


def _health(site: Site, settings: UpdateSettings) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """What the site file says; else the kiosk's own page and the target."""
    if settings.health_urls or settings.health_commands:
        return settings.health_urls, settings.health_commands
    kiosk = f"http://{site.kiosk.host}:{site.kiosk.port}/state"
    return (kiosk,), (("systemctl", "is-active", "--quiet", "hiroba.target"),)


def _all(commands: Sequence[Sequence[str]]) -> None:
    """One after another; raises ActivationFailed at the first that fails."""
    for words in commands:
        try:
            code = subprocess.run(words, capture_output=True, check=False, timeout=300).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ActivationFailed(reason=f"{words[0]}: {type(error).__name__}") from error
        if code:
            raise ActivationFailed(reason=f"{' '.join(words)}: exit {code}")


def _tell_others(commands: Sequence[Sequence[str]]) -> None:
    """The release is good whether or not others take note of it: their failure is told, and changes nothing."""
    try:
        _all(commands)
    except ActivationFailed as error:
        click.echo(f"after_good: {error.facts['reason']}", err=True)


def _tell(slots: Slots, outcome: Outcome, as_json: bool) -> None:
    facts = {"outcome": outcome.value, **report(slots)}
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else f"{WORDS[outcome]}\n{_table(facts)}")


def _table(facts: dict[str, object]) -> str:
    slots = facts["slots"]
    lines = []
    for name, slot in slots.items() if isinstance(slots, dict) else ():
        mark = "*" if name == facts["current"] else " "
        words = f"{slot['release']:>5}  {slot['version'] or '-'}  {slot['commit'][:7] or '-'}"
        lines.append(f"{mark} {name} {words}{'' if slot['whole'] else '  -'}")
    trial, refused = facts["trial"], facts["refused"]
    lines += ["試行中 / on trial"] if trial else []
    lines += [f"戻した版 / taken back: {refused}"] if refused else []
    return "\n".join(lines)
