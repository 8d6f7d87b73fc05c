"""``hiroba seed``: what goes on a new box's card, and the sheet of labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from device.clock import SystemClock
from device.files import atomic_write
from provisioning.box.render.site_file import open_box
from provisioning.box.seed.application import archive
from provisioning.box.seed.cloud import System, seed
from provisioning.box.seed.first_start import ARCHIVE
from provisioning.box.seed.public import certificates, root_metadata, ssh_keys
from provisioning.box.seed.sheet import STAFF_PORT, sheet
from provisioning.commands.options import STATE, site_options
from provisioning.errors import NoCityHall
from provisioning.site.city_reading import read_city
from provisioning.site.file import text_is_city
from provisioning.site.model import Site
from provisioning.site.reading import read_site

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
HERE = Path(__file__).resolve().parents[2]


@click.command("seed")
@site_options
@click.option("--box", "name", default="", help="Which box, when --config is the file of a city.")
@click.option("--all", "every", is_flag=True, help="Every box of the city, each below OUT/BOX.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the files.")
@click.option(
    "--system",
    type=click.Choice(["raspios", "debian"]),
    default="raspios",
    show_default=True,
    help="The image's system.",
)
@click.option("--code", default="", help="One-time enrolment code (hiroba cityhall code).")
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
    public = [key for file in keys for key in ssh_keys(_text(file), file)]
    common = _public_texts(ca, trust)
    codes = dict.fromkeys(boxes, code)
    if make_code:
        codes, own = _codes(config, state, list(boxes))
        common = {"ca": own, **common}
    packed = b"" if without_application else archive(HERE)
    written = []
    for box, (site, toml, _) in boxes.items():
        files = seed(
            site,
            toml,
            system,
            code=codes[box],
            keys=public,
            files=_public_files(site, common),
            application=hashlib.sha256(packed).hexdigest() if packed else "",
        )
        written += _write(out / box if every else out, files, packed)
    parts = {box: words for box, (_, _, words) in boxes.items()}
    page = out / "inventory.pdf"
    _put(page, sheet([site for site, _, _ in boxes.values()], parts, codes, SystemClock().now(), _staff_port(config)))
    told = [*written, str(page)]
    click.echo(json.dumps({"written": told}, ensure_ascii=False) if as_json else "\n".join(told))
    _note_what_is_left([site for site, _, _ in boxes.values()], codes, common)


def _boxes(config: Path, name: str, every: bool) -> dict[str, tuple[Site, str, str]]:
    """box -> its site, its file, its parts in words."""
    if text_is_city(config):
        city = read_city(config)
        if every:
            return {box.name: (box.site, box.toml, " ".join(box.parts)) for box in city.boxes}
        own = open_box(config, name)
        return {name: (own.site, own.toml, " ".join(city.box(name).parts))}
    own = open_box(config, name)
    site = own.site
    words = ["kiosk"] if site.box.screen else []
    words += [part for part in ("wifi", "issuer", "cityhall") if getattr(site, part) is not None]
    return {site.box.name: (site, own.toml, " ".join(words))}


def _staff_port(config: Path) -> int:
    """Where the labels lead; the city's file says it at its server."""
    sites = [box.site for box in read_city(config).boxes] if text_is_city(config) else [read_site(config)]
    return next((site.cityhall.staff_port for site in sites if site.cityhall), STAFF_PORT)


def _codes(config: Path, state: Path, boxes: Sequence[str]) -> tuple[dict[str, str], str]:
    """A fresh one-time code for each, and the city's CA (PEM). Raises SettingsError where there is no [cityhall],
    NoCityHall.
    """
    from device.logs import open_log
    from provisioning.cityhall.wiring import authority_folder, build_cityhall, prepare
    from provisioning.commands.cityhall_file import read_cityhall

    settings, clock = read_cityhall(config), SystemClock()
    if not authority_folder(state).certificate.exists():
        raise NoCityHall(folder=state)
    prepare(settings, state, clock)
    records = build_cityhall(settings, state, clock, open_log("seed")).records
    now = int(clock.now().timestamp())
    codes = {box: records.new_code(box, "(seed)", now, settings.code_days) for box in boxes}
    return codes, authority_folder(state).certificate.read_text("utf-8")


def _public_texts(ca: Path | None, trust: Path | None) -> dict[str, str]:
    """What holds for every box. Raises NotPublic."""
    found = {"ca": certificates(_text(ca), ca)} if ca else {}
    return found | ({"trust": root_metadata(_text(trust), trust)} if trust else {})


def _text(file: Path) -> str:
    return file.read_text("utf-8", "replace")


def _public_files(site: Site, common: Mapping[str, str]) -> Mapping[str, str]:
    """Files that anyone may read, where the box looks for them."""
    files = {}
    if "ca" in common and site.cityhall_link:
        files[str(STATE / site.cityhall_link.ca)] = common["ca"]
    if "trust" in common:
        files[str(site.updates.trust)] = common["trust"]
    return files


def _note_what_is_left(sites: Sequence[Site], codes: Mapping[str, str], common: Mapping[str, str]) -> None:
    """Told on standard error: the seed is good, yet somebody will have to go to the box."""
    linked = [site for site in sites if site.cityhall_link]
    if linked and "ca" not in common:
        click.echo("注意：--ca がないため、端末は市役所を確かめられず登録できません。", err=True)
        click.echo("Note: without --ca the box cannot know city hall, and cannot enrol.", err=True)
    if any(not codes.get(site.box.name) for site in linked):
        click.echo("注意：登録コードがないため、あとで端末で hiroba enrol --code コード を実行します。", err=True)
        click.echo("Note: without a code somebody has to run hiroba enrol --code CODE on the box.", err=True)


def _write(folder: Path, files: Mapping[str, str], packed: bytes) -> list[str]:
    for name, text in files.items():
        _put(folder / name, text.encode())
    if packed:
        _put(folder / ARCHIVE, packed)
    return [str(folder / name) for name in [*files, *([ARCHIVE] if packed else [])]]


def _put(path: Path, content: bytes) -> None:
    """For its owner alone: the enrolment code is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, content, mode=0o600)
