"""``hiroba register``: what staff at city hall do to the issuer's register."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from device.store import Store
from kiosk.issuer.register.population_file import read_population
from kiosk.issuer.register.register import REGISTER_MIGRATIONS, Register
from provisioning.commands.options import site_options
from provisioning.commands.reading import store_for_reading
from provisioning.commands.register_place import refuse_undeclared
from provisioning.errors import NotFound, SectionMissing
from provisioning.site.reading import read_site


def _file(config: Path, state: Path) -> Path:
    issuer = read_site(config).issuer
    if issuer is None:
        raise SectionMissing(file=config, section="issuer", process="hiroba register")
    return state / issuer.register


def _open(config: Path, state: Path) -> Register:
    file = _file(config, state)
    refuse_undeclared(config, file)
    return Register(Store(file, REGISTER_MIGRATIONS))


def _unknown(resident: str) -> NotFound:
    return NotFound(what_ja="住民", what_en="resident", name=resident)


def _known(register: Register, resident: str) -> None:
    if register.show(resident) is None:
        raise _unknown(resident)


@click.group("register")
def command() -> None:
    """The issuer's register of residents."""


@command.command("import")
@site_options
@click.argument("file", type=click.Path(path_type=Path))
def import_(config: Path, state: Path, file: Path) -> None:
    """Replace all households and residents by those of FILE (JSON). Nothing changes when FILE is wrong."""
    count = _open(config, state).import_population(read_population(file))
    click.echo(f"{count} 人を取り込みました。 / {count} residents imported.")


@command.command()
@site_options
@click.argument("credential", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("resident")
def link(config: Path, state: Path, credential: Path, resident: str) -> None:
    """Say that CREDENTIAL (a card's certificate, DER) is RESIDENT's. Only its issuer key and serial are kept."""
    from device.card.credential import identity

    register = _open(config, state)
    _known(register, resident)
    register.link(*identity(credential.read_bytes()), resident)
    click.echo(f"{resident} に結び付けました。 / linked to {resident}.")


@command.command()
@site_options
@click.argument("resident")
@click.option("--lift", is_flag=True, help="Lift the restriction.")
def restrict(config: Path, state: Path, resident: str, lift: bool) -> None:
    """Set the disclosure restriction (支援措置) of RESIDENT, or lift it."""
    register = _open(config, state)
    _known(register, resident)
    register.restrict(resident, on=not lift)
    click.echo("解除しました。 / lifted." if lift else "設定しました。 / set.")


@command.command()
@site_options
@click.argument("resident", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(config: Path, state: Path, resident: str | None, as_json: bool) -> None:
    """Show RESIDENT, or the ids of all residents."""
    store = store_for_reading(_file(config, state), REGISTER_MIGRATIONS)
    register = Register(store) if store else None
    if resident is None:
        ids = register.residents() if register else []
        click.echo(msgspec.json.encode(ids).decode() if as_json else "\n".join(ids))
        return
    shown = register.show(resident) if register else None
    if shown is None:
        raise _unknown(resident)
    text = msgspec.json.encode(shown)
    click.echo(text.decode() if as_json else msgspec.json.format(text, indent=2).decode())
