"""``hiroba backup``: an encrypted archive of this box's state, and the key it is made for."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from pathlib import Path

import click

from device.clock import JST, SystemClock
from device.files import atomic_write, create_once
from device.store import Store
from provisioning.backup.age import Identity, parse_recipient
from provisioning.backup.backup_writer import BackupResult, BackupWriter
from provisioning.backup.errors import CannotWrite, FileExists, RecipientMissing, StateMissing
from provisioning.commands.options import site_options, state_option
from provisioning.enrolment.archive_signer import open_signer
from provisioning.site.model import Site
from provisioning.site.reading import read_site

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("backup", invoke_without_command=True)
@site_options
@click.option("--out", type=FILE, help="Write one archive to this file.")
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), help="Add one, take old ones away.")
@click.option("--recipient", help="The city's public key (age1…), when the site file has no [backup].")
@click.option("--keep", type=click.IntRange(1, 1000), help="Archives of this box that stay in --dir.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def command(
    context: click.Context,
    config: Path,
    state: Path,
    out: Path | None,
    folder: Path | None,
    recipient: str | None,
    keep: int | None,
    as_json: bool,
) -> None:
    """Write an encrypted and signed archive of this box: journal, ledger, keys, sessions, sums, settings."""
    if context.invoked_subcommand is not None:
        return
    site = read_site(config)
    folder = folder or _folder(site)
    if (out is None) == (folder is None):
        raise click.UsageError("--out か --dir のどちらかを指定してください。 / Give either --out or --dir.")
    clock = SystemClock()
    to = parse_recipient(_recipient(site, recipient, config))
    signer = open_signer(state, site.box.name, clock)
    writer = BackupWriter(state, config, site.box.name, to, clock, signer=signer)
    if out is not None:
        written = writer.to_file(out)
    elif folder is not None:
        written = writer.to_folder(folder, keep or (site.backup.keep if site.backup else 14))
    _tell(written, as_json)


def _recipient(site: Site, given: str | None, config: Path) -> str:
    found = given or (site.backup.recipient if site.backup else "")
    if not found:
        raise RecipientMissing(file=config)
    return found


def _folder(site: Site) -> Path | None:
    context = click.get_current_context()
    named = site.backup.folder if site.backup else ""
    return Path(named) if named and context.params["out"] is None else None


def _tell(written: BackupResult, as_json: bool) -> None:
    manifest = written.manifest
    facts = {
        "file": str(written.path),
        "archive": manifest.archive,
        "box": manifest.box,
        "taken_at": manifest.taken_at,
        "files": len(manifest.files),
        "bytes": written.bytes,
        "removed": list(written.removed),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"控えを書きました： {written.path}（{len(manifest.files)} 件、{written.bytes:,} バイト）")
    click.echo(f"Back-up written: {written.path} ({len(manifest.files)} files, {written.bytes:,} bytes)")
    for name in written.removed:
        click.echo(f"古い控えを消しました： {name} / old one removed")


@command.command()
@click.option("--out", type=FILE, required=True, help="Where the secret key goes. Keep it at city hall, on no box.")
def key(out: Path) -> None:
    """Make the city's key; its public half goes into [backup] recipient of the site files."""
    identity = Identity.make()
    created = f"# created: {SystemClock().now().isoformat(timespec='seconds')}\n"
    content = f"{created}# public key: {identity.recipient()}\n{identity.text()}\n"
    try:
        made = create_once(out, content.encode("ascii"), mode=0o600)
    except OSError as error:
        raise CannotWrite(file=out, reason=error.strerror or "") from error
    if not made:
        raise FileExists(file=out)
    click.echo(identity.recipient())


@command.command("signer")
@site_options
@click.option("--out", type=FILE, help="Write the public key to this file.")
def signer_(config: Path, state: Path, out: Path | None) -> None:
    """Which key signs this box's archives; keep its fingerprint with the city's key where there is no city hall."""
    found = open_signer(state, read_site(config).box.name, SystemClock())
    if out is not None:
        try:
            atomic_write(out, found.public_pem().encode("ascii"), mode=0o644)
        except OSError as error:
            raise CannotWrite(file=out, reason=error.strerror or "") from error
    click.echo(found.fingerprint())
    if found.certificate:
        click.echo("市の認証局の証明書が付きます。戻すときは city-ca.pem があれば足ります。", err=True)
        click.echo("The city's CA vouches for it: city-ca.pem is enough to restore.", err=True)
    else:
        click.echo("市の認証局の証明書がありません。この番号を控えの鍵と一緒に保管してください。", err=True)
        click.echo("No CA vouches for it: keep this fingerprint with the key of the back-ups.", err=True)


@command.command()
@state_option
@click.option("--kiosk", required=True, help="The restored box's name.")
@click.option(
    "--at", required=True, metavar="TIME", help="When its back-up was taken, as hiroba restore told (ISO 8601)."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def since(state: Path, kiosk: str, at: str, as_json: bool) -> None:
    """On the issuer: what a restored box had accepted after its back-up, to compare with paper and till."""
    from kiosk.issuer.ledger import Ledger
    from kiosk.issuer.wiring import LEDGER_MIGRATIONS

    path = state / "issuer" / "ledger.db"
    if not path.exists():
        raise StateMissing(folder=path)
    with closing(Store.for_reading(path, LEDGER_MIGRATIONS)) as store:
        rows = Ledger(store).since(kiosk, _moment(at))
    found = [
        {
            "request": row.order.request,
            "issue_number": row.issue_number,
            "kind": row.order.kind,
            "copies": row.order.copies,
            "fee_yen": row.order.fee_yen,
            "at": row.order.at.isoformat(timespec="seconds"),
            "outcome": row.outcome.value if row.outcome else "",
        }
        for row in rows
    ]
    if as_json:
        click.echo(json.dumps(found))
        return
    for line in found:
        click.echo("  ".join(str(value) or "結果なし/no outcome" for value in line.values()))
    click.echo(f"{len(found)} 件。発行番号を用紙と入金に照らしてください。 / compare with paper and till.")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("ISO 8601", param_hint="--at") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=JST)
