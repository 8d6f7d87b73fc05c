"""``hiroba site``: check the site file, and render other programs' configuration from it.

May import: provisioning, captive_portal.settings, device.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import click

from captive_portal.settings import WifiSettings
from device.errors import SettingsError
from device.secrets import Secret
from device.settings import line_of
from provisioning.commands.options import site_options
from provisioning.commands.wifi_site import wifi_of
from provisioning.render.files import Rendered, passphrase_files, render
from provisioning.render.wrong import Wrong
from provisioning.site import read_site


@click.group("site")
def command() -> None:
    """Check the site file, render configuration from it."""


@command.command("check")
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(config: Path, state: Path, as_json: bool) -> None:
    """Read the site file and everything that would be rendered from it."""
    site = read_site(config)
    files = _rendered(site.wifi, site.box.name, config, state) if site.wifi else {}
    if as_json:
        click.echo(json.dumps({"ok": True, "box": site.box.name, "files": sorted(files)}, ensure_ascii=False))
        return
    click.echo(f"OK {config}")


@command.command("render")
@site_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the files.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def render_command(config: Path, state: Path, out: Path, as_json: bool) -> None:
    """Write the configuration of dnsmasq (one file a spot) and hostapd (one a radio, and its twin for disasters)."""
    site = read_site(config)
    wifi = wifi_of(site, config, "hiroba site render")
    files = _rendered(wifi, site.box.name, config, state)
    out.mkdir(parents=True, exist_ok=True)
    for name, file in files.items():
        _write(out / name, file)
    for spot in wifi.spots:
        if spot.dhcp:
            (state / spot.dhcp.leases).parent.mkdir(parents=True, exist_ok=True)
    written = [str(out / name) for name in files]
    click.echo(json.dumps({"written": written}, ensure_ascii=False) if as_json else "\n".join(written))


def _rendered(wifi: WifiSettings, box: str, config: Path, state: Path) -> dict[str, Rendered]:
    try:
        return render(wifi, box, state, _passphrases(wifi, config, state))
    except Wrong as wrong:
        line = line_of(config.read_text("utf-8"), wrong.key)
        raise SettingsError(file=config, line=line, key=wrong.key, wrong=wrong.wrong) from wrong


def _passphrases(wifi: WifiSettings, config: Path, state: Path) -> Mapping[str, Secret]:
    found = {}
    for name in passphrase_files(wifi):
        try:
            found[name] = Secret((state / name).read_bytes())
        except OSError as error:
            key, wrong = "wifi.spots.ssids.passphrase_file", f"{name} is unreadable: {type(error).__name__}"
            line = line_of(config.read_text("utf-8"), key)
            raise SettingsError(file=config, line=line, key=key, wrong=wrong) from error
    return found


def _write(path: Path, file: Rendered) -> None:
    """All or nothing: a power cut leaves the old file or the new one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if file.secret else 0o644)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(file.text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
