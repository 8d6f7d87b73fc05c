"""The connection log: make the city's key, take the sealed boxes off a box, open them at city hall."""

from __future__ import annotations

import base64
import errno
import json
import os
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import click
import msgspec

from captive_portal.gate.connection_log.entry import ConnectionLogEntry
from captive_portal.gate.connection_log.sealing import UnsealFailed, new_key, unseal_entries
from captive_portal.gate.database import Database
from device.audit import Audit
from device.clock import JST, SystemClock
from device.files import create_once
from provisioning.commands.options import Day, site_options
from provisioning.commands.wifi_site import print_table, wifi_of
from provisioning.errors import NotFound
from provisioning.site.reading import read_site

_FILE = click.Path(path_type=Path, dir_okay=False)
_FROM = click.option("--from", "first", type=Day(), default=date(2000, 1, 1), help="First day.")
_TO = click.option("--to", "last", type=Day(), default=date(2199, 12, 31), help="Last day, included.")


@click.command("log-key")
@click.option("--out", type=_FILE, required=True, help="For the private key. Keep it at city hall, not on a box.")
def make_key(out: Path) -> None:
    """Make the key pair of the connection log; prints the public key for [wifi.log]."""
    private, public = new_key()
    try:
        made = create_once(out, base64.b64encode(private) + b"\n", mode=0o600)
    except OSError as error:
        raise click.BadParameter(f"{out}: {error.strerror}", param_hint="--out") from error
    if not made:
        raise click.BadParameter(f"{out}: {os.strerror(errno.EEXIST)}", param_hint="--out")
    click.echo(f'[wifi.log]\nkey = "{public}"')


@click.command("sealed")
@site_options
@_FROM
@_TO
@click.option("--out", type=_FILE, required=True, help="File for the sealed boxes, to carry to city hall.")
def take_sealed(config: Path, state: Path, first: date, last: date, out: Path) -> None:
    """Copy the sealed connection log out of this box; it stays unreadable. The audit notes it."""
    boxes = _boxes(config, state, first, last)
    lines = [json.dumps({"day": day, "sealed": base64.b64encode(box).decode()}) + "\n" for day, box in boxes]
    out.write_text("".join(lines), "ascii")
    click.echo(f"{len(lines)} 件を {out} に書き出しました（封印されたまま）。 / {len(lines)} sealed boxes written.")


@click.command("unseal")
@site_options
@_FROM
@_TO
@click.option("--key", type=_FILE, required=True, help="The city's private key.")
@click.option("--sealed", type=_FILE, default=None, help="A file of `hiroba wifi sealed`; without it: this box's log.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def unseal(config: Path, state: Path, first: date, last: date, key: Path, sealed: Path | None, as_json: bool) -> None:
    """Who had which address when (personal data). Destinations are not in it; they are never kept."""
    boxes = _from_file(sealed, first, last) if sealed else _boxes(config, state, first, last)
    entries = _opened(_private(key), boxes)
    if as_json:
        click.echo(msgspec.json.encode(entries).decode())
        return
    headings = ["開始", "終了", "スポット", "IP", "MAC", "ログイン方法", "利用"]
    rows = [[_time(s.begun_at), _time(s.ended_at), s.spot, s.ip4, s.mac, s.method, s.session] for s in entries]
    print_table(f"接続記録 {len(entries)} 件", headings, rows, left=7)


def _boxes(config: Path, state: Path, first: date, last: date) -> list[tuple[str, bytes]]:
    """Out of the gate's database, noted in its audit."""
    wifi = wifi_of(read_site(config), config, "hiroba wifi")
    path = state / wifi.gate.database
    if not path.exists():
        raise NotFound(what_ja="接続記録", what_en="connection log", name=path)
    database = Database(path, wifi.log)
    try:
        boxes = database.sealed(first, last)
        Audit(database.store, SystemClock()).record("connection_log_taken", count=len(boxes))
    finally:
        database.store.close()
    return boxes


def _from_file(path: Path, first: date, last: date) -> list[tuple[str, bytes]]:
    try:
        lines = [json.loads(line) for line in path.read_text("ascii").splitlines()]
        boxes = [(str(line["day"]), base64.b64decode(line["sealed"])) for line in lines]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.BadParameter(f"{path} is no file of sealed boxes.", param_hint="--sealed") from error
    return [(day, box) for day, box in boxes if f"{first:%Y-%m-%d}" <= day <= f"{last:%Y-%m-%d}"]


def _private(path: Path) -> bytes:
    try:
        key = base64.b64decode(path.read_bytes(), validate=False)
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path} cannot be read.", param_hint="--key") from error
    if len(key) != 32:
        raise click.BadParameter(f"{path} holds no private key.", param_hint="--key")
    return key


def _opened(private: bytes, boxes: Iterable[tuple[str, bytes]]) -> list[ConnectionLogEntry]:
    try:
        entries = [entry for _, box in boxes for entry in unseal_entries(private, box)]
    except UnsealFailed as error:
        raise click.BadParameter("この鍵では開けません。 / this key does not fit.", param_hint="--key") from error
    return sorted(entries, key=lambda entry: entry.begun_at)


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M:%S}"
