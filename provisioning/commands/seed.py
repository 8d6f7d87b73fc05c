"""``hiroba seed``: what goes on a new box's card, and the sheet of labels. May import: provisioning, device."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from device.clock import SystemClock
from provisioning.commands.options import site_options
from provisioning.rendering import site_of
from provisioning.seed.application import archive
from provisioning.seed.cloud import System, seed
from provisioning.seed.first_start import ARCHIVE
from provisioning.seed.sheet import sheet
from provisioning.site import Site
from provisioning.site_city import read_city, text_is_city

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
HERE = Path(__file__).resolve().parents[2]


@click.command("seed")
@site_options
@click.option("--box", "name", default="", help="Which box, when --config is the file of a city.")
@click.option("--all", "every", is_flag=True, help="Every box of the city, each below OUT/BOX.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the files.")
@click.option("--system", type=click.Choice(["raspios", "debian"]), default="raspios", show_default=True)
@click.option("--code", default="", help="One-time enrolment code (hiroba fleet code).")
@click.option("--make-code", is_flag=True, help="On city hall's server: make the codes here and now.")
@click.option("--ssh-key", "keys", type=_FILE, multiple=True, help="Public SSH keys of the IT staff.")
@click.option("--ca", type=_FILE, help="The city's CA (city-ca.pem), so that the box knows city hall.")
@click.option("--trust", type=_FILE, help="Pinned root metadata of updates (hiroba bundle init).")
@click.option("--without-application", is_flag=True, help="The image has Hiroba installed already.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(
    *,
    config: Path,
    state: Path,
    name: str,
    every: bool,
    out: Path,
    system: System,
    code: str,
    make_code: bool,
    keys: tuple[Path, ...],
    ca: Path | None,
    trust: Path | None,
    without_application: bool,
    as_json: bool,
) -> None:
    """Write user-data, network-config and meta-data for cloud-init, the application beside them, and an inventory sheet
    (PDF). No secret is in them but the one-time enrolment code.
    """
    if code and (every or make_code):
        raise click.UsageError("--code は一台ぶんです / --code is for one box")
    boxes = _boxes(config, name, every)
    codes = _codes(config, state, list(boxes)) if make_code else dict.fromkeys(boxes, code)
    packed = b"" if without_application else archive(HERE)
    public = [line for file in keys for line in file.read_text("utf-8").splitlines() if line.strip()]
    written = []
    for box, (site, toml, _) in boxes.items():
        files = seed(
            site,
            toml,
            system,
            code=codes[box],
            keys=public,
            files=_public_files(site, state, ca, trust),
            application=hashlib.sha256(packed).hexdigest() if packed else "",
        )
        written += _write(out / box if every else out, files, packed)
    parts = {box: words for box, (_, _, words) in boxes.items()}
    page = out / "inventory.pdf"
    _put(page, sheet([site for site, _, _ in boxes.values()], parts, codes, SystemClock().now()))
    told = [*written, str(page)]
    click.echo(json.dumps({"written": told}, ensure_ascii=False) if as_json else "\n".join(told))


def _boxes(config: Path, name: str, every: bool) -> dict[str, tuple[Site, str, str]]:
    """box -> its site, its file, its parts in words."""
    if text_is_city(config):
        city = read_city(config)
        if every:
            return {box.name: (box.site, box.toml, " ".join(box.parts)) for box in city.boxes}
        site, toml = site_of(config, name)
        return {name: (site, toml, " ".join(city.box(name).parts))}
    site, toml = site_of(config, name)
    words = ["kiosk"] if site.box.screen else []
    words += [part for part in ("wifi", "issuer", "fleet") if getattr(site, part) is not None]
    return {site.box.name: (site, toml, " ".join(words))}


def _codes(config: Path, state: Path, boxes: Sequence[str]) -> dict[str, str]:
    """A fresh one-time code for each. Raises SettingsError where there is no [fleet]."""
    from device.logs import open_log
    from device.settings import read
    from provisioning.fleet.settings import FleetFile
    from provisioning.fleet.wiring import build_fleet, prepare

    settings, clock = read(config, FleetFile).fleet, SystemClock()
    prepare(settings, state, clock)
    records = build_fleet(settings, state, clock, open_log("seed")).records
    now = int(clock.now().timestamp())
    return {box: records.new_code(box, "(seed)", now, settings.code_days) for box in boxes}


def _public_files(site: Site, state: Path, ca: Path | None, trust: Path | None) -> Mapping[str, str]:
    """Files that anyone may read, where the box looks for them."""
    files = {}
    if ca and site.fleet_link:
        files[str(state / site.fleet_link.ca)] = ca.read_text("utf-8")
    if trust:
        files[str(site.updates.trust)] = trust.read_text("utf-8")
    return files


def _write(folder: Path, files: Mapping[str, str], packed: bytes) -> list[str]:
    for name, text in files.items():
        _put(folder / name, text.encode())
    if packed:
        _put(folder / ARCHIVE, packed)
    return [str(folder / name) for name in [*files, *([ARCHIVE] if packed else [])]]


def _put(path: Path, content: bytes) -> None:
    """For its owner alone: the enrolment code is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
