"""``hiroba bundle`` on a box: install, status, rollback, settle, recover; the publisher's half is bundle_publish."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from device.clock import SystemClock
from device.logs import open_log
from provisioning.commands.bundle_publish import COMMANDS
from provisioning.commands.options import CONFIG, state_option
from provisioning.errors import RootNeeded
from provisioning.site.reading import read_site
from provisioning.updates import schemas as databases
from provisioning.updates.choice import Outcome
from provisioning.updates.errors import BundleError, CommandsFileUnsafe, SourceUnreachable
from provisioning.updates.installer import Installer, report
from provisioning.updates.local_commands import COMMANDS_FILE, UpdateCommands, read_commands
from provisioning.updates.record import Record
from provisioning.updates.slots import Slots
from provisioning.updates.waves import BoxReport
from provisioning.updates.wiring import build_installer, open_client

APPLICATION = Path("/opt/hiroba")
NO_WAY_BACK = "bundle.no_way_back"
"""In the audit: a release that waits until a box has the one before it (README, "A way back")."""
WORDS = {
    Outcome.INSTALLED: "新しい版が動いています / the new release runs",
    Outcome.UP_TO_DATE: "最新です / up to date",
    Outcome.HELD: "この端末の番はまだです / a newer release waits for this box's wave",
    Outcome.REFUSED_BEFORE: "この端末では動かなかった版だけです / only releases that failed here before",
    Outcome.NO_WAY_BACK: "間の版を先に入れる必要があります（戻れなくなるため） / a release in between is needed first:"
    " from this one there would be no way back",
    Outcome.IN_USE: "利用者がいるため見送りました / somebody was at the kiosk; it is taken another time",
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
@state_option
@click.option("--from", "source", default="", help="https:// address or folder; else [updates] source.")
@click.option("--trust", type=click.Path(path_type=Path), help="Pinned root metadata; else [updates] trust.")
@click.option(
    "--commands", type=click.Path(path_type=Path), default=COMMANDS_FILE, hidden=True, help="Programs that root named."
)
@click.option("--again", is_flag=True, help="Also a release that was taken back here, once its cause is mended.")
@_json
def install(
    *,
    config: Path,
    application: Path,
    state: Path,
    source: str,
    trust: Path | None,
    commands: Path,
    again: bool,
    as_json: bool,
) -> None:
    """Take the newest release for this box, try it, and keep it or go back within a minute."""
    site = read_site(config)
    wanted = source or site.updates.source
    if not wanted:
        raise SourceUnreachable(source="-", reason="[updates] source, --from")
    slots = Slots(application)
    client = open_client(wanted, site.updates, trust, slots)
    with _rights("hiroba bundle install"):
        record = _record(slots, state)
        try:
            outcome = _installer(slots, config, record, read_commands(commands)).update(client, again=again)
        except BundleError as error:
            record.refused(error)
            raise
        if outcome is Outcome.NO_WAY_BACK:
            record.tell("update_refused", {"code": NO_WAY_BACK})
        else:
            record.well()
    _tell(slots, outcome, as_json)


@command.command()
@_root
@_json
def status(application: Path, as_json: bool) -> None:
    """Show the releases in the slots, those that were rolled back, and the result of the last update."""
    facts = report(Slots(application))
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else _table(facts))


@command.command("report")
@_config
@_root
def report_command(config: Path, application: Path) -> None:
    """One JSON line for the city's boxes.json: box, release, healthy, refused (hiroba bundle waves --report)."""
    slots = Slots(application)
    release = slots.release(slots.current()).release
    told = BoxReport(
        box=read_site(config).box.name, release=release, healthy=slots.trial() is None, refused=slots.refused()
    )
    click.echo(msgspec.json.encode(told).decode())


@command.command()
@_config
@_root
@state_option
@_json
def rollback(config: Path, application: Path, state: Path, as_json: bool) -> None:
    """Roll back: the release in the other slot runs again, if it is healthy."""
    slots = Slots(application)
    with _rights("hiroba bundle rollback"):
        _installer(slots, config, _record(slots, state)).roll_back()
    _tell(slots, Outcome.INSTALLED, as_json)


@command.command()
@_config
@_root
@state_option
@_json
def settle(config: Path, application: Path, state: Path, as_json: bool) -> None:
    """After a start of the box: end a trial that a power cut left open."""
    slots = Slots(application)
    with _rights("hiroba bundle settle"):
        outcome = _installer(slots, config, _record(slots, state)).settle(after_start=True)
    if outcome:
        _tell(slots, outcome, as_json)


@command.command()
@_config
@_root
@state_option
def recover(config: Path, application: Path, state: Path) -> None:
    """Before anything else at a start of the box: go back when a release on trial keeps restarting it."""
    slots = Slots(application)
    with _rights("hiroba bundle recover"):
        if _installer(slots, config, _record(slots, state)).recover():
            click.echo("前の版に戻しました / went back to the former release")


@command.command("schemas")
def schemas_command() -> None:
    """For provisioning/updates/schemas.json: the databases of this tree, and how far its code goes on with them."""
    click.echo(databases.as_text(databases.schemas()), nl=False)


@command.command("sbom")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for both files.")
@click.option("--tree", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Another tree than this.")
def sbom_command(out: Path, tree: Path | None) -> None:
    """Write the list of components (CycloneDX) and of their licences; a bundle carries both. Exit code 1 when something
    is linked under a licence that is not allowed.
    """
    from provisioning.updates import sbom
    from provisioning.updates.errors import LicenceNotAllowed

    tree = tree or Path(__file__).parents[2]
    moment = int((tree / "requirements.lock").stat().st_mtime)
    found = sbom.write(tree, out, moment)
    for name in (sbom.SBOM_FILE, sbom.LICENCES_FILE):
        click.echo(str(out / name))
    stands = sbom.exceptions(sbom.read_known(tree))
    if refused := [one for one in sbom.not_allowed(found) if one.name not in stands]:
        raise LicenceNotAllowed(component=refused[0].name, licence=refused[0].licence)


@dataclass(frozen=True)
class _rights:  # noqa: N801 - reads as a block
    """A refusal of the system becomes RootNeeded."""

    command: str

    def __enter__(self) -> None:
        """Nothing to do before."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PermissionError):
            raise RootNeeded(command=self.command, reason=f"{error.filename}") from error


def _record(slots: Slots, state: Path) -> Record:
    return Record(slots, state, SystemClock(), open_log("update"))


def _installer(slots: Slots, config: Path, record: Record, commands: UpdateCommands | None = None) -> Installer:
    """commands: without them root's own, or the fixed ones where those cannot be used: the way back is never shut."""

    def failed(reason: str) -> None:
        click.echo(f"after_good: {reason}", err=True)

    if commands is None:
        try:
            commands = read_commands()
        except CommandsFileUnsafe as error:
            failed(str(error.facts["reason"]))
            commands = UpdateCommands()
    return build_installer(slots, read_site(config), record, failed, commands=commands)


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
    if isinstance(last := facts["last"], dict):
        lines.append(f"{last['at']} {last['event']} {' '.join(f'{k}={v}' for k, v in last['facts'].items())}")
    return "\n".join(lines)
