"""``hiroba bundle`` at the publisher's: init, build, publish, renew, replace-key, waves."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from device.clock import SystemClock
from device.secrets import Secret
from provisioning.updates.build import build
from provisioning.updates.errors import RepositoryUnusable
from provisioning.updates.keys import ROLES, KeyFolder
from provisioning.updates.repository import Lifetimes, Repository
from provisioning.updates.waves import BoxReport, Stage, Wave, WavePolicy, plan

F = TypeVar("F", bound=Callable[..., Any])
_FOLDER = click.Path(path_type=Path, file_okay=False)
_json = click.option("--json", "as_json", is_flag=True, help="For programs.")
_STAGES = click.Choice([stage.value for stage in Stage])


def _signing(function: F) -> F:
    """Repository and keys, given to the function as ``repository``."""

    def opened(
        repo: Path, keys: Path, root_key: Path | None, passphrase_file: Path | None, timestamp_days: int, **rest: object
    ) -> None:
        folder = KeyFolder(keys, root_key, _passphrase(passphrase_file))
        function(Repository(repo, folder, SystemClock(), Lifetimes(timestamp=timestamp_days)), **rest)

    opened.__name__, opened.__doc__ = function.__name__, function.__doc__
    opened.__dict__.update(function.__dict__)
    for option in (
        click.option("--repo", type=_FOLDER, required=True, help="Folder to publish: plain files."),
        click.option("--keys", type=_FOLDER, required=True, help="Folder of the signing keys."),
        click.option("--root-key", type=_FOLDER, help="Folder of the root key, e.g. on a stick from the safe."),
        click.option("--passphrase-file", type=click.Path(path_type=Path), help="The keys' passphrase; - asks for it."),
        click.option(
            "--timestamp-days",
            type=click.IntRange(1, 365),
            default=Lifetimes().timestamp,
            show_default=True,
            help="Days until boxes refuse the repository unless it is renewed.",
        ),
    ):
        opened = option(opened)
    return opened  # type: ignore[return-value]  # the same options with the repository opened


def _passphrase(file: Path | None) -> Secret | None:
    if file is None:
        return None
    if str(file) == "-":
        asked = (
            sys.stdin.readline() if not sys.stdin.isatty() else click.prompt("Passphrase", hide_input=True, err=True)
        )
        return Secret(asked.strip().encode())
    return Secret(file.read_bytes().strip())


@click.command()
@_signing
def init(repository: Repository) -> None:
    """Make the keys and an empty repository. The file it names is what boxes pin."""
    pinned = repository.create()
    click.echo(
        f"{pinned}\n"
        "このファイルを各端末の /etc/hiroba/update-root.json に置き、root.pem は金庫にしまってください。\n"
        "Lay this file at /etc/hiroba/update-root.json of every box, and keep root.pem in a safe."
    )


@click.command("build")
@click.option("--checkout", type=_FOLDER, default=Path(), help="A git checkout of the source.")
@click.option("--commit", default="HEAD", show_default=True, help="Which commit or tag.")
@click.option("--out", type=_FOLDER, default=Path("out"), show_default=True, help="Folder for the bundle.")
@_json
def build_command(checkout: Path, commit: str, out: Path, as_json: bool) -> None:
    """Make the bundle of a commit, for machines of this kind. The same commit gives the same bytes."""
    import hashlib

    file, manifest = build(checkout, out, commit)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    facts = {"file": str(file), "sha256": digest, "bytes": file.stat().st_size, **msgspec.to_builtins(manifest)}
    click.echo(json.dumps(facts) if as_json else f"{file}\nsha256 {digest}")


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--canary", "canaries", multiple=True, metavar="BOX", help="A box that goes first; may be repeated.")
@click.option("--to-all", is_flag=True, help="No waves: every box at once.")
@_json
@_signing
def publish(repository: Repository, bundle: Path, canaries: tuple[str, ...], to_all: bool, as_json: bool) -> None:
    """Sign BUNDLE as the next release: canaries first, unless --to-all."""
    if not canaries and not to_all:
        raise click.UsageError("--canary BOX か --to-all が要ります / name a --canary BOX, or say --to-all")
    stage = Stage.ALL if to_all else Stage.CANARY
    offer = repository.publish(bundle, Wave(stage=stage, since=repository.clock.now(), canaries=canaries))
    facts = msgspec.to_builtins(offer)
    click.echo(json.dumps(facts) if as_json else f"{offer.release}: {offer.version} {offer.commit[:7]} {stage}")


@click.command()
@_signing
def renew(repository: Repository) -> None:
    """Sign a new timestamp, for a daily timer: boxes refuse a repository whose timestamp is too old."""
    click.echo(repository.renew().isoformat())


@click.command("replace-key")
@click.argument("role", type=click.Choice(ROLES))
@_signing
def replace_key(repository: Repository, role: str) -> None:
    """A new key for ROLE; boxes refuse the former from then on. Needs the root key."""
    repository.replace_key(role)
    click.echo(str(repository.keys.file(role)))


@click.command()
@click.option("--release", type=int, help="Which release; else the newest.")
@click.option(
    "--report", type=click.File("rb"), help="What the boxes told: JSON list of box, release, healthy, refused."
)
@click.option(
    "--soak-hours",
    type=float,
    default=WavePolicy().soak_hours,
    show_default=True,
    help="Hours a wave has to run well before the next one.",
)
@click.option("--stage", type=_STAGES, help="Sign this stage, whatever the plan says.")
@click.option("--hold/--go", "held", default=None, help="Wait at this stage, or go on.")
@click.option("--apply", "act", is_flag=True, help="Sign what the plan says.")
@_json
@_signing
def waves(
    repository: Repository,
    release: int | None,
    report: Any,
    soak_hours: float,
    stage: str | None,
    held: bool | None,
    act: bool,
    as_json: bool,
) -> None:
    """How far a release has got, what should come next, and sign it."""
    offers = sorted(repository.offers().values(), key=lambda offer: offer.release)
    found = [o for o in offers if release in (None, o.release)]
    if not found:
        raise RepositoryUnusable(folder=repository.folder, reason=f"no release {release}" if release else "no release")
    offer, now = found[-1], repository.clock.now()
    boxes = msgspec.json.decode(report.read(), type=list[BoxReport]) if report else []
    wave = offer.wave if held is None else msgspec.structs.replace(offer.wave, held=held)
    step = plan(wave, offer.release, boxes, now, WavePolicy(soak_hours=soak_hours))
    chosen = Stage(stage) if stage else step.stage if act else wave.stage
    if chosen is not wave.stage:
        wave = msgspec.structs.replace(wave, stage=chosen, since=now)
    if wave != offer.wave:
        repository.set_wave(offer.release, wave)
    facts = {"release": offer.release, "stage": wave.stage.value, "held": wave.held, "plan": msgspec.to_builtins(step)}
    words = f"{offer.release}: {wave.stage} ({step.why}, {step.done}/{step.included}) {' '.join(step.failed)}".rstrip()
    click.echo(json.dumps(facts) if as_json else words)


COMMANDS = (init, build_command, publish, renew, replace_key, waves)
