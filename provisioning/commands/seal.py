"""hiroba seal: change the city's seal key; the signed list of its public keys, for who checks papers elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click
import msgspec

from device.clock import JST, SystemClock
from device.files import atomic_write
from kiosk.issuer.seal import key_list
from kiosk.issuer.seal.key_list import KeyList
from kiosk.issuer.seal.seal_keys import (
    SealKey,
    create_private,
    private_key,
    public_key,
    public_keys,
    public_text,
    rotate,
)
from provisioning.backup.errors import FileExists
from provisioning.commands.options import site_options
from provisioning.errors import SectionMissing
from provisioning.site.reading import read_site

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group("seal")
def command() -> None:
    """The city's seal: its keys, and their signed list."""


@command.command("rotate")
@site_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def rotate_key(*, config: Path, state: Path, yes: bool) -> None:
    """A new seal key; the old one's time ends. The issuer uses it from its next start."""
    site = read_site(config)
    if site.issuer is None:
        raise SectionMissing(file=config, section="issuer", process="hiroba seal rotate")
    if not yes:
        click.confirm("市の印の鍵を取りかえます。続けますか / Replace the city's seal key?", abort=True)
    name = rotate(state / site.issuer.seal, site.issuer.seal_name or site.city.name_en, SystemClock().now())
    click.echo(f"新しい鍵 / new key: {name}")
    click.echo("次に、発行プロセスを再起動し、新しい鍵一覧を配ってください。")
    click.echo("Next: restart the issuer, and hand out a new list of keys.")


@command.command("new-signer")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File for the private key.")
def new_signer(out: Path) -> None:
    """The key that signs lists of seal keys. Keep it offline; its public half lies beside it as OUT.pem."""
    try:
        key = create_private(out)
    except FileExistsError as error:
        raise FileExists(file=out) from error
    atomic_write(out.with_name(f"{out.name}.pem"), public_text(SealKey(key.public_key())), mode=0o644)
    click.echo(f"{out} / {out}.pem")


@command.command("sign-list")
@click.option("--signer", type=_FILE, required=True, help="Private key of the list.")
@click.option("--keys", type=_FOLDER, required=True, help="Folder of the seal's public keys (NAME.pem).")
@click.option("--version", type=click.IntRange(1), required=True, help="One more than the last list's.")
@click.option("--days", type=click.IntRange(1, 3660), default=400, show_default=True, help="Days it may be used.")
@click.option("--next-signer", type=_FILE, multiple=True, help="Public key that may sign the next list; else the same.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File for the list.")
def sign_list(*, signer: Path, keys: Path, version: int, days: int, next_signer: tuple[Path, ...], out: Path) -> None:
    """Write the signed list of the seal's public keys."""
    known = public_keys(keys)
    if not known:
        raise click.BadParameter(f"{keys}: no NAME.pem", param_hint="--keys")
    now = SystemClock().now()
    signers = [public_key(file).public for file in next_signer]
    expires = now + timedelta(days=days)
    made = key_list.signed(private_key(signer), known, version=version, issued=now, expires=expires, signers=signers)
    atomic_write(out, made, mode=0o644)
    _tell(key_list.opened(made, (private_key(signer).public_key(),), 0), as_json=False)


@command.command("accept-list")
@click.argument("file", type=_FILE)
@click.option("--keys", type=_FOLDER, required=True, help="Folder that `hiroba verify --keys` uses.")
@click.option("--signer", type=_FILE, default=None, help="Who signed it (public key); for the first list alone.")
def accept_list(file: Path, keys: Path, signer: Path | None) -> None:
    """Take a new list of seal keys: signed by the known signer, and newer than the last one."""
    trusted = public_key(signer) if signer else None
    if file.stat().st_size > key_list.MAX_BYTES:
        raise click.BadParameter(f"{file}: more than {key_list.MAX_BYTES} bytes", param_hint="FILE")
    _tell(key_list.accept(keys, file.read_bytes(), SystemClock().now(), trusted), as_json=False)


@command.command("keys")
@click.option("--keys", type=_FOLDER, required=True, help="Folder of lists, or of NAME.pem.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show_keys(keys: Path, as_json: bool) -> None:
    """The keys that seals are checked with, and their times."""
    if (keys / key_list.SIGNER).exists() and (newest := key_list.newest_list(keys)) is not None:
        _tell(newest, as_json=as_json)
    else:
        _tell_keys(dict(key_list.checking_keys(keys, SystemClock().now())), as_json=as_json)


def _tell(found: KeyList, *, as_json: bool) -> None:
    if not as_json:
        last = found.expires.astimezone(JST).date().isoformat()
        click.echo(f"鍵一覧 第{found.version}版、{last} まで / list of keys, version {found.version}, until {last}")
    _tell_keys(dict(found.keys), as_json=as_json)


def _tell_keys(keys: dict[str, SealKey], *, as_json: bool) -> None:
    rows = [{"name": name, "from": _day(key.not_before), "until": _day(key.not_after)} for name, key in keys.items()]
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        click.echo(f"  {row['name']}  {row['from'] or '-'} – {row['until'] or '-'}")


def _day(moment: datetime | None) -> str:
    return moment.astimezone(JST).date().isoformat() if moment else ""
