"""Cards and residents: link one by its file or at a reader, many by CSV; look, unlink, revoke."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from device.card.presence import CardReader
from device.clock import SystemClock
from kiosk.issuer.register.audited_register import Linked
from kiosk.issuer.register.errors import RegisterRefused
from kiosk.issuer.register.link_checks import LinkCandidate, candidate
from kiosk.issuer.register.link_file import LinkPlan, plan
from provisioning.commands.register_act import Asked, Opened, act_options, open_register
from provisioning.commands.register_requests import tell_asked
from provisioning.commands.wifi_site import print_table
from provisioning.messages import sentence_of

MAX_CREDENTIAL_BYTES = 64 * 1024
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_MOVE = click.option(
    "--move", is_flag=True, help="It is another resident's: ask that it moves; a second person approves."
)
_KEEP = click.option("--keep-former", is_flag=True, help="The resident's other card stays valid, too.")
_CHANGES = {"new": "新規", "same": "変更なし", "replaces": "前のカードと入れ替え"}


@click.command()
@click.argument("credential", type=_FILE)
@click.argument("resident")
@_MOVE
@_KEEP
@act_options
def link(asked: Asked, credential: Path, resident: str, move: bool, keep_former: bool) -> None:
    """Say that CREDENTIAL (a card's certificate, DER) is RESIDENT's. Only its issuer key and serial are kept."""
    opened = open_register(asked)
    _link(opened, lambda: _candidate(opened, credential), resident, move=move, keep_former=keep_former)


@click.command("link-card")
@click.argument("resident")
@_MOVE
@_KEEP
@act_options
def link_card(asked: Asked, resident: str, move: bool, keep_former: bool) -> None:
    """The same with the card on the reader of this machine. No PIN is asked for."""
    from device.card.drivers import open_reader

    opened = open_register(asked)
    reader = open_reader(opened.site.card)
    try:
        _link(opened, lambda: _on_reader(opened, reader), resident, move=move, keep_former=keep_former)
    finally:
        reader.close()


@click.command("link-many")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Show what would change, change nothing.")
@act_options
def link_many(asked: Asked, file: Path, dry_run: bool) -> None:
    """Link what FILE says (CSV: resident,credential; files lie beside it). All mistakes are told; with one nothing is
    linked.
    """
    opened = open_register(asked)
    opened.register.look_at_file(opened.act)
    found = plan(file.read_bytes(), lambda name: _beside(opened, file, name), opened.register.planned)
    _tell_plan(found)
    if found.mistakes:
        raise RegisterRefused("file_mistakes", count=len(found.mistakes))
    if dry_run:
        click.echo("何も変えていません。 / nothing was changed.")
        return
    done = opened.register.link_all(opened.act, [(one.found, one.resident) for one in found.links])
    click.echo(f"{len(done)} 枚を結び付けました。 / {len(done)} linked.")


@click.command()
@click.argument("resident")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@act_options
def credentials(asked: Asked, resident: str, as_json: bool) -> None:
    """The cards that are and were RESIDENT's, by names that other commands take."""
    opened = open_register(asked)
    found = opened.register.credentials(opened.act, resident)
    if as_json:
        click.echo(msgspec.json.encode([one._asdict() for one in found]).decode())
        return
    rows = [[c.credential, c.since, c.ended_at or "", c.until, "失効" if c.revoked else ""] for c in found]
    print_table(f"カード {len(rows)} 枚", ["カード", "結び付け", "終わり", "証明書の期限", ""], rows, left=5)


@click.command()
@click.argument("credential")
@act_options
def unlink(asked: Asked, credential: str) -> None:
    """CREDENTIAL (a name of `hiroba register credentials`) is nobody's any more."""
    opened = open_register(asked)
    holder = opened.register.unlink(opened.act, credential)
    click.echo(f"{holder} との結び付けを解きました。 / unlinked from {holder}.")


@click.command()
@click.argument("credential")
@click.option("--lift", is_flag=True, help="Ask that it may be used again; a second person approves it.")
@act_options
def revoke(asked: Asked, credential: str, lift: bool) -> None:
    """CREDENTIAL (a name of `hiroba register credentials`, or a card's certificate, DER) opens nothing from now on."""
    opened = open_register(asked)
    if lift:
        tell_asked(opened.register.ask_lift_revocation(opened.act, credential))
        return
    if Path(credential).is_file():
        credential = opened.register.revoke_unlinked(opened.act, _candidate(opened, Path(credential)))
    else:
        opened.register.revoke(opened.act, credential)
    click.echo(f"{credential} を失効にしました。 / revoked.")


def read_credential(reader: CardReader) -> bytes:
    """The authentication credential of the card that lies there, DER; no PIN. Raises CardError."""
    from device.card.my_number_card import MyNumberCard

    card = MyNumberCard(reader.connect())
    try:
        card.select()
        return card.credential()
    finally:
        card.close()


def _link(opened: Opened, found: Callable[[], LinkCandidate], resident: str, *, move: bool, keep_former: bool) -> None:
    look = found()
    if move:
        tell_asked(opened.register.ask_move(opened.act, look, resident))
        return
    _tell(opened.register.link(opened.act, look, resident, keep_former=keep_former), resident)


def _tell(done: Linked, resident: str) -> None:
    known = "" if done.new else "（前からです） / already"
    click.echo(f"{done.credential} を {resident} に結び付けました。{known} / linked to {resident}.")
    for former in done.ended:
        click.echo(f"前のカード {former} の結び付けを終えました。 / its former card {former} ends.")


def _candidate(opened: Opened, file: Path) -> LinkCandidate:
    with file.open("rb") as content:
        der = content.read(MAX_CREDENTIAL_BYTES)
    return _checked(opened, der)


def _on_reader(opened: Opened, reader: CardReader) -> LinkCandidate:
    return _checked(opened, read_credential(reader))


def _checked(opened: Opened, der: bytes) -> LinkCandidate:
    try:
        return candidate(der, opened.trust(), SystemClock().now())
    except RegisterRefused as refused:
        opened.register.refused(opened.act, refused)
        raise


def _beside(opened: Opened, file: Path, name: str) -> LinkCandidate:
    place = file.parent / name
    if not name or Path(name).name != name or not place.is_file():
        raise RegisterRefused("file_credential_missing")
    return _candidate(opened, place)


def _tell_plan(found: LinkPlan) -> None:
    for line, refused in found.mistakes:
        click.echo(f"{line} 行目：{sentence_of(refused, 'ja')} / line {line}: {sentence_of(refused, 'en')}", err=True)
    if not found.mistakes:
        rows = [[str(one.line), one.resident, _CHANGES[one.change]] for one in found.links]
        print_table(f"結び付け {len(rows)} 件", ["行", "住民", "変わること"], rows, left=3)
