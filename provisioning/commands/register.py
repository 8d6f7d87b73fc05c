"""``hiroba register``: what staff at city hall do to the issuer's register. Every look and change needs who and why."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from device.clock import JST
from kiosk.issuer.register.population_file import read_population
from provisioning.commands.register_act import Asked, act_options, open_register
from provisioning.commands.register_links import credentials, link, link_card, link_many, revoke, unlink
from provisioning.commands.register_requests import approve, reject, requests, tell_asked
from provisioning.commands.wifi_site import print_table

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group("register")
def command() -> None:
    """The issuer's register of residents."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@act_options
def import_(asked: Asked, file: Path) -> None:
    """Replace all households and residents by those of FILE (JSON). Nothing changes when FILE is wrong."""
    opened = open_register(asked)
    count = opened.register.import_population(opened.act, read_population(file))
    click.echo(f"{count} 人を取り込みました。 / {count} residents imported.")


@command.command()
@click.argument("resident")
@click.option("--lift", is_flag=True, help="Ask that the restriction is lifted; a second person approves it.")
@act_options
def restrict(asked: Asked, resident: str, lift: bool) -> None:
    """Set the disclosure restriction (支援措置) of RESIDENT, or ask that it is lifted."""
    opened = open_register(asked)
    if lift:
        tell_asked(opened.register.ask_lift(opened.act, resident))
        return
    opened.register.restrict(opened.act, resident)
    click.echo("設定しました。 / set.")


@command.command()
@click.argument("resident", required=False)
@_JSON
@act_options
def show(asked: Asked, resident: str | None, as_json: bool) -> None:
    """Show RESIDENT, or the ids of all residents. The look is in the audit."""
    opened = open_register(asked)
    if resident is None:
        ids = opened.register.residents(opened.act)
        click.echo(msgspec.json.encode(ids).decode() if as_json else "\n".join(ids))
        return
    text = msgspec.json.encode(opened.register.show(opened.act, resident))
    click.echo(text.decode() if as_json else msgspec.json.format(text, indent=2).decode())


@command.command()
@click.argument("resident", required=False)
@_JSON
@act_options
def history(asked: Asked, resident: str | None, as_json: bool) -> None:
    """Who looked at and changed the register, or RESIDENT alone: the audit, its chain checked."""
    opened = open_register(asked)
    lines = opened.register.history(opened.act, resident or "")
    if as_json:
        click.echo(msgspec.json.encode([line._asdict() for line in lines]).decode())
        return
    rows = [
        [
            line.at,
            line.event.removeprefix("register_"),
            str(line.facts.get("by", "")),
            str(line.facts.get("reason", "")),
        ]
        for line in lines
    ]
    print_table(
        f"台帳の操作 {len(rows)} 件 / register ({JST.tzname(None)})", ["日時", "操作", "誰", "なぜ"], rows, left=4
    )


for _one in (link, link_card, link_many, credentials, unlink, revoke, requests, approve, reject):
    command.add_command(_one)
