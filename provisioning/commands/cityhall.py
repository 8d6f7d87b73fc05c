"""``hiroba cityhall``: city hall's side on the command line, beside its pages."""

from __future__ import annotations

import base64
import io
import json
import shutil
from pathlib import Path
from typing import TextIO

import click

from device.clock import SystemClock
from device.logs import open_log
from provisioning.cityhall.accounts.account_requests import AccountRequests, Outcome
from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.accounts.staff_accounts import MIN_LETTERS, StaffAccounts
from provisioning.cityhall.boxes.codes import BOX_NAME
from provisioning.cityhall.boxes.old_records import OldRecords
from provisioning.cityhall.boxes.records import Records
from provisioning.cityhall.database import Database, open_engine_for_reading
from provisioning.cityhall.settings import CityHallSettings
from provisioning.cityhall.wiring import CityHallService, authority_folder, build_cityhall, prepare
from provisioning.commands.cityhall_credential import issuer_credential
from provisioning.commands.cityhall_file import read_cityhall
from provisioning.commands.options import site_options
from provisioning.commands.reading import there_is
from provisioning.errors import NotFound

_FILE = click.Path(path_type=Path, dir_okay=False)
ON_SERVER = "(server)"
LONGEST_NAME = 63
"""Letters of a staff name, as the database has room for."""


def open_service(config: Path, state: Path) -> tuple[CityHallSettings, CityHallService]:
    """The settings and the service's parts, its schema up to date."""
    settings, clock = read_cityhall(config), SystemClock()
    prepare(settings, state, clock)
    return settings, build_cityhall(settings, state, clock, open_log("cityhall"))


def open_for_reading(config: Path, state: Path) -> tuple[CityHallSettings, Database | None]:
    """The database as it is, or None, which is told, when city hall's service never ran here."""
    settings = read_cityhall(config)
    engine, file = open_engine_for_reading(settings.database, state)
    return settings, Database(engine) if file is None or there_is(file) else None


@click.group("cityhall")
def command() -> None:
    """City hall's side: enrolment codes, staff accounts, boxes."""


command.add_command(issuer_credential)


@command.command()
@site_options
@click.option("--box", required=True, help="The box's name, as in its site file.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def code(config: Path, state: Path, box: str, as_json: bool) -> None:
    """Make a one-time enrolment code. It is shown once; an older unused code of the box ends."""
    if not BOX_NAME.fullmatch(box):
        raise click.UsageError("--box: 英小文字・数字・ハイフン / small letters, digits, hyphens")
    settings, service = open_service(config, state)
    made = service.records.new_code(box, ON_SERVER, int(SystemClock().now().timestamp()), settings.code_days)
    click.echo(json.dumps({"box": box, "code": made, "days": settings.code_days}) if as_json else made)


@command.command()
@site_options
@click.option("--name", required=True, help="Who.")
@click.option("--role", type=click.Choice(list(Role)), help="What it may do; the first account may administer.")
@click.option("--close", is_flag=True, help="Close the account instead.")
@click.option("--password-file", type=click.File("r"), help="Read the password from FILE (- is standard input).")
def staff(config: Path, state: Path, name: str, role: Role | None, close: bool, password_file: TextIO | None) -> None:
    """Make a staff account for the pages, or set its password again. Never takes a password as an argument."""
    if not 0 < len(name.strip()) <= LONGEST_NAME or name != name.strip():
        raise click.UsageError(f"--name: 1～{LONGEST_NAME}文字 / 1 to {LONGEST_NAME} letters")
    _, service = open_service(config, state)
    if close:
        if not service.staff.close(name, ON_SERVER):
            raise NotFound(what_ja="職員", what_en="staff", name=name)
        click.echo(f"{name}: 閉鎖しました / closed")
        return
    password = password_file.read().strip() if password_file else _typed()
    if len(password) < MIN_LETTERS:
        raise click.UsageError(f"{MIN_LETTERS}文字以上にしてください / {MIN_LETTERS} letters at least")
    service.staff.set_password(name, password, role and Role(role), ON_SERVER)
    click.echo(f"{name}: 設定しました / set")


@command.command()
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def accounts(config: Path, state: Path, as_json: bool) -> None:
    """List the staff accounts, their roles and factors, and when each was last used: for the yearly look at who still
    needs one.
    """
    from provisioning.cityhall.staff.box_status import moment

    _, database = open_for_reading(config, state)
    for one in StaffAccounts(database, SystemClock()).accounts() if database else ():
        if as_json:
            facts = {"staff": one.name, "open": one.open, "logged_in_at": one.logged_in_at, "role": one.role}
            click.echo(json.dumps({**facts, "factors": list(one.factors)}, ensure_ascii=False))
        else:
            state_of = "有効 / open" if one.open else "閉鎖 / closed"
            factors = ",".join(one.factors) or "-"
            click.echo(f"{one.name}\t{state_of}\t{one.role}\t{factors}\t{moment(one.logged_in_at) or '-'}")


@command.command("role")
@site_options
@click.option("--name", required=True, help="Who.")
@click.option("--role", type=click.Choice(list(Role)), required=True, help="What the account may do from now on.")
@click.option("--reason", required=True, help="Why; it is kept.")
def role_of(config: Path, state: Path, name: str, role: Role, reason: str) -> None:
    """Give a staff account another role. Its sessions end. No second person: who has root here could do all else."""
    _tell(name, _requests(config, state).role(name, Role(role), reason, ON_SERVER))


@command.command("factor-reset")
@site_options
@click.option("--name", required=True, help="Who.")
@click.option("--reason", required=True, help="Why; it is kept.")
def factor_reset(config: Path, state: Path, name: str, reason: str) -> None:
    """Remove an account's second factors and recovery codes: a new one is registered at the next log-in."""
    _tell(name, _requests(config, state).reset(name, reason, ON_SERVER))


def _requests(config: Path, state: Path) -> AccountRequests:
    _, service = open_service(config, state)
    return AccountRequests(service.database, SystemClock(), service.staff, four_eyes=False)


def _tell(name: str, outcome: Outcome) -> None:
    if outcome is Outcome.UNKNOWN:
        raise NotFound(what_ja="職員", what_en="staff", name=name)
    if outcome is Outcome.LAST:
        raise click.UsageError(f"{name}: 最後の管理者です / the last administrator")
    if outcome is Outcome.NO_REASON:
        raise click.UsageError("--reason: 理由を入れてください / a reason is needed")
    click.echo(f"{name}: 設定しました / set")


def _typed() -> str:
    return str(click.prompt("パスワード / password", hide_input=True, confirmation_prompt=True))


@command.command()
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def boxes(config: Path, state: Path, as_json: bool) -> None:
    """List the boxes, worst first."""
    from provisioning.cityhall.staff.box_status import STATES, box_status, moment
    from provisioning.cityhall.staff.words import words

    settings, database = open_for_reading(config, state)
    now, w = int(SystemClock().now().timestamp()), words("ja")
    known = Records(database).boxes() if database else ()
    seen = [box_status(box, now, settings.silent_minutes * 60) for box in known]
    for one in sorted(seen, key=lambda s: (STATES.index(s.state), s.name)):
        if as_json:
            facts = {"box": one.name, "state": one.state, "version": one.version, "heard_at": one.heard_at}
            click.echo(json.dumps({**facts, "certificate_until": one.certificate_until}))
        else:
            click.echo(f"{one.name}\t{w.of('states', one.state)} / {one.state}\t{moment(one.heard_at)}\t{one.version}")


@command.command()
@site_options
@click.argument("box")
def revoke(config: Path, state: Path, box: str) -> None:
    """Cut a box off at once, by name."""
    _, service = open_service(config, state)
    if not service.enrolments.revoke(box, ON_SERVER):
        raise NotFound(what_ja="有効な端末", what_en="active box", name=box)


@command.command()
@site_options
@click.argument("box")
def release(config: Path, state: Path, box: str) -> None:
    """Open a box's key again that was closed as used in two places, once the other one is off; also before the first
    call of a box that was restored from a back-up.
    """
    _, service = open_service(config, state)
    if not service.enrolments.release(box, ON_SERVER):
        raise NotFound(what_ja="登録済みの端末", what_en="enrolled box", name=box)
    click.echo(f"解除しました / released: {box}")


@command.command()
@site_options
@click.argument("box")
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The city's secret key (hiroba backup key).",
)
def recovery(config: Path, state: Path, box: str, key: Path) -> None:
    """Show the recovery keys of a box's encrypted volumes, newest first, opened with the city's back-up key."""
    from provisioning.backup.age import Identity, decrypted

    _, service = open_service(config, state)
    identity = Identity.read(key)
    found = [(volume, text) for volume, text in service.enrolments.volumes.recovery(box) if text]
    if not found:
        raise NotFound(what_ja="回復用の鍵を預かった端末", what_en="box with an escrowed recovery key", name=box)
    for volume, text in found:
        with decrypted(io.BytesIO(base64.b64decode(text)), identity, volume) as plain:
            click.echo(f"{volume}\t{plain.read().decode('ascii').strip()}")
    service.enrolments.recovery_shown(box, ON_SERVER)


@command.command()
@site_options
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="FILE.pem for the boxes.")
def ca(config: Path, state: Path, out: Path) -> None:
    """Write the city's CA certificate, which every box and every staff PC has to trust; made at the first call."""
    prepare(read_cityhall(config), state, SystemClock())
    shutil.copyfile(authority_folder(state).certificate, out)
    click.echo(str(out))


@command.command()
@site_options
def tidy(config: Path, state: Path) -> None:
    """Forget messages older than 60 days, ended sessions, and what is past [cityhall] staff_days; for a daily timer."""
    settings, service = open_service(config, state)
    service.staff.tidy()
    click.echo(str(service.intake.tidy()))
    for kind, count in OldRecords(service.database, SystemClock(), settings.staff_days).delete():
        click.echo(f"{kind}\t{count}")
