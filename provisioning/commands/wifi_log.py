"""The connection log: make the city's key, take the sealed boxes off a box, open them at city hall."""

from __future__ import annotations

import base64
import errno
import os
from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

import click
import msgspec

from captive_portal.gate.connection_log.carried import Held, file_text, read_file
from captive_portal.gate.connection_log.chain import Problem, Record, verify
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
    held = _held(config, state, first, last)
    out.write_text(file_text(held), "utf-8")
    count = len(held.records)
    click.echo(f"{count} 件を {out} に書き出しました（封印されたまま）。 / {count} sealed boxes written.")
    if held.statement:
        click.echo(f"署名鍵 / signing key: {held.statement.signer}")


@click.command("unseal")
@site_options
@_FROM
@_TO
@click.option("--key", type=_FILE, required=True, help="The city's private key.")
@click.option("--sealed", type=_FILE, default=None, help="A file of `hiroba wifi sealed`; without it: this box's log.")
@click.option("--signer", default="", metavar="KEY", help="The box's signing key, as city hall's page shows it.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def unseal(
    config: Path, state: Path, first: date, last: date, key: Path, sealed: Path | None, signer: str, as_json: bool
) -> None:
    """Who had which address when (personal data). Destinations are not in it; they are never kept. What is missing,
    changed or not signed by the box is named; exit code 1 then.
    """
    held = _from_file(sealed) if sealed else _held(config, state, first, last)
    known = signer.strip().lower() or (held.statement.signer if held.statement else "")
    good, problems = verify(held.records, held.statement, known)
    days = [r for r in good if f"{first:%Y-%m-%d}" <= r.day <= f"{last:%Y-%m-%d}"]
    _show(_opened(_private(key), days), as_json)
    if sealed and known and not signer and not as_json:
        click.echo(
            f"署名鍵が市役所の端末のページの値と同じか確かめてください / compare the signing key: {known}", err=True
        )
    if _tell(problems):
        raise SystemExit(1)


def _show(entries: list[ConnectionLogEntry], as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(entries).decode())
        return
    headings = ["開始", "終了", "スポット", "IP", "IPv6", "MAC", "ログイン方法", "利用"]
    rows = [
        [_time(s.begun_at), _time(s.ended_at), s.spot, s.ip4, "\n".join(s.ip6), s.mac, s.method, s.session]
        for s in entries
    ]
    print_table(f"接続記録 {len(entries)} 件", headings, rows, left=8)


_PROBLEMS = {
    "unsigned": "署名のない記録です（以前の版） / not signed (written by an older release)",
    "forged": "この端末の署名がありません（作られたか、ほかの端末のもの） / not signed by this box",
    "changed": "中身が変えられています / changed",
    "redated": "日付が変えられています / its day was changed",
    "missing": "記録が抜けています / missing",
    "replaced": "前の記録とつながりません / does not follow the record before it",
    "unsigned_changed": "署名のない記録が、端末にあったものと違います / records without a signature were changed",
    "no_statement": "端末の送り状がなく、抜けがあっても分かりません / no statement of the box: some may be missing",
    "foreign_statement": "送り状がこの端末のものではありません / the statement is not this box's",
}


def _tell(problems: list[Problem]) -> bool:
    """Say each on standard error, those of one kind and day together; True when one is worse than an old record."""
    for (code, day), same in groupby(problems, key=lambda problem: (problem.code, problem.day)):
        found = list(same)
        first, last = found[0].first, found[-1].last
        place = f"{day} " if day else ""
        place += f"No. {first}" + (f"–{last} " if last != first else " ") if last else ""
        count = f"（{len(found)} 件） " if len(found) > 1 else ""
        click.echo(f"{place}{count}{_PROBLEMS[code]}", err=True)
    return any(problem.code != "unsigned" for problem in problems)


def _held(config: Path, state: Path, first: date, last: date) -> Held:
    """Out of the gate's database, noted in its audit."""
    site = read_site(config)
    wifi = wifi_of(site, config, "hiroba wifi")
    path = state / wifi.gate.database
    if not path.exists():
        raise NotFound(what_ja="接続記録", what_en="connection log", name=path)
    clock = SystemClock()
    database = Database(path, wifi.log, site.box.name)
    try:
        held = Held(database.sealed(first, last), database.statement(first, last, clock.now()))
        Audit(database.store, clock).record("connection_log_taken", count=len(held.records))
    finally:
        database.store.close()
    return held


def _from_file(path: Path) -> Held:
    try:
        return read_file(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path} is no file of sealed boxes.", param_hint="--sealed") from error


def _private(path: Path) -> bytes:
    try:
        key = base64.b64decode(path.read_bytes(), validate=False)
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path} cannot be read.", param_hint="--key") from error
    if len(key) != 32:
        raise click.BadParameter(f"{path} holds no private key.", param_hint="--key")
    return key


def _opened(private: bytes, records: Iterable[Record]) -> list[ConnectionLogEntry]:
    try:
        entries = [
            entry
            for record in records
            for entry in unseal_entries(private, record.box, record.link.bound_to() if record.link else b"")
        ]
    except UnsealFailed as error:
        raise click.BadParameter("この鍵では開けません。 / this key does not fit.", param_hint="--key") from error
    return sorted(entries, key=lambda entry: entry.begun_at)


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M:%S}"
