"""``hiroba site``: check a site file, render from it, and describe its keys. Of one box or of a whole city."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from device.errors import SettingsError
from device.files import atomic_write
from provisioning.box.render.box import render_box
from provisioning.box.render.files import Rendered, render
from provisioning.box.render.site_file import POLICY, BoxFile, FileCheck, check_file, open_box, passphrases
from provisioning.commands.options import site_options
from provisioning.commands.wifi_site import wifi_of
from provisioning.site.city import City
from provisioning.site.city_reading import read_city
from provisioning.site.file import text_is_city
from provisioning.site.wifi_checks import wifi_mistakes

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group("site")
def command() -> None:
    """Check the site file, render configuration from it."""


@command.command("check")
@site_options
@_JSON
@click.argument("file", type=click.Path(path_type=Path), required=False)
def check(config: Path, state: Path, as_json: bool, file: Path | None) -> None:
    """Read FILE (or --config), of a box or of a city, and tell every mistake in it at once."""
    path = file or config
    facts, mistakes = _checked(path, state)
    if mistakes:
        _tell(path, mistakes, as_json)
        raise click.exceptions.Exit(1)
    click.echo(json.dumps({"ok": True, **facts}, ensure_ascii=False) if as_json else f"OK {path}")


def _checked(path: Path, state: Path) -> FileCheck:
    """A file that cannot be read as TOML has that one mistake."""
    try:
        return check_file(path, state)
    except SettingsError as error:
        return FileCheck({}, [error])


def _tell(path: Path, mistakes: Sequence[SettingsError], as_json: bool) -> None:
    """All of them, by line. For programs: the first one's facts, and the list."""
    if as_json:
        told = [error.facts for error in mistakes]
        click.echo(json.dumps({"ok": False, **told[0], "mistakes": told}, ensure_ascii=False, default=str))
        return
    for error in mistakes:
        facts = error.facts
        place = f"{path}:{facts['line']}: {facts['key']}".removesuffix(": ").replace(":0", "")
        for line in (place, f"  {facts['wrong_ja']} {facts['right_ja']}", f"  {facts['wrong']} {facts['right']}"):
            click.echo(line.rstrip(), err=True)
    click.echo(f"誤りが {len(mistakes)} か所あります。 / mistakes: {len(mistakes)}", err=True)


@command.command("render")
@site_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the files.")
@click.option("--box", "name", default="", help="Of a city's file: this box only.")
@_JSON
def render_command(config: Path, state: Path, out: Path, name: str, as_json: bool) -> None:
    """Of a box's file: the configuration of dnsmasq (one file a spot) and hostapd (one a radio, and its twin for
    disasters). Of a city's file: every file of every box, below OUT/BOX.
    """
    if text_is_city(config):
        written = _render_city(read_city(config), state, out, name)
    else:
        written = _render_wifi(open_box(config, ""), config, state, out)
    click.echo(json.dumps({"written": written}, ensure_ascii=False) if as_json else "\n".join(written))


@command.command("schema")
@click.option("--page", is_flag=True, help="The page of all keys (SITE.md) instead.")
def schema(page: bool) -> None:
    """Show the site file's JSON Schema, which editors complete by."""
    from provisioning.site.reference import page_text, schema_text

    click.echo(page_text() if page else schema_text(), nl=False)


def _render_city(city: City, state: Path, out: Path, name: str) -> list[str]:
    boxes = [city.box(name)] if name else city.boxes
    written = []
    for box in boxes:
        for place, file in render_box(box.site, box.toml, POLICY.read_text("utf-8"), state, None).items():
            target = out / box.name / place
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, file)
            written.append(str(target))
    return written


def _render_wifi(box: BoxFile, config: Path, state: Path, out: Path) -> list[str]:
    wifi = wifi_of(box.site, config, "hiroba site render")
    for mistake in wifi_mistakes(box.site):
        raise box.as_error(mistake)
    files = render(wifi, box.site.box.name, state, passphrases(box, state))
    out.mkdir(parents=True, exist_ok=True)
    for name, file in files.items():
        _write(out / name, file)
    for spot in wifi.spots:
        if spot.dhcp:
            (state / spot.dhcp.leases).parent.mkdir(parents=True, exist_ok=True)
    return [str(out / name) for name in files]


def _write(path: Path, file: Rendered) -> None:
    """All or nothing: a power cut leaves the old file or the new one."""
    atomic_write(path, file.text.encode("utf-8"), mode=0o600 if file.secret else file.mode)
