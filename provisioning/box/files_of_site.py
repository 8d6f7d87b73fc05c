"""From a site file on disk to what it renders: reads it, finds the passphrases, tells errors with their line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from device.secrets import Secret
from provisioning.box.apply.errors import BoxNotNamed, OtherBox
from provisioning.box.render.box import render_box
from provisioning.box.render.files import Rendered, passphrase_files
from provisioning.box.render.wrong import Wrong
from provisioning.site.checks import check_site
from provisioning.site.city import City, read_city, text_is_city
from provisioning.site.model import Site, read_site
from provisioning.site.problems import senseless

POLICY = Path(__file__).resolve().parents[2] / "systemd" / "chromium" / "hiroba.json"
"""The browser policy as shipped, beside this package in a checkout and in a slot."""


def site_of(config: Path, box: str) -> tuple[Site, str]:
    """The site of one box and the text of its file: out of a city's file by its name, or the file itself. Raises
    SettingsError, NotFound, BoxNotNamed, OtherBox.
    """
    if text_is_city(config):
        city = read_city(config)
        if not box:
            raise BoxNotNamed(file=config, boxes=", ".join(found.name for found in city.boxes))
        found = city.box(box)
        return found.site, found.toml
    site = read_site(config)
    if box not in ("", site.box.name):
        raise OtherBox(file=config, box=site.box.name, name=box)
    return site, config.read_text("utf-8")


def check_file(path: Path, state: Path) -> dict[str, Any]:
    """Everything that can be known to be right before it is on a box: what a program may want to know. Raises
    SettingsError. Passphrases of a city's boxes lie on the boxes, and are not asked for here.
    """
    if text_is_city(path):
        return {"boxes": check_city(read_city(path), state)}
    site = read_site(path)
    text = path.read_text("utf-8")
    try:
        check_site(site)
    except Wrong as wrong:
        raise senseless(wrong, path, text) from wrong
    found = passphrases(site, path, text, state)
    places = box_files(site, text, path, state, text=text, found=found)
    wifi = [place.rpartition("/")[2] for place in places if "/wifi/" in place]
    return {"box": site.box.name, "files": sorted(wifi), "places": sorted(places)}


def check_city(city: City, state: Path) -> dict[str, list[str]]:
    """box -> the files it would get. Raises SettingsError."""
    return {box.name: sorted(_of_city(city, number, state)) for number, box in enumerate(city.boxes)}


def box_files(
    site: Site, toml: str, path: Path, state: Path, *, text: str, found: Mapping[str, Secret] | None
) -> dict[str, Rendered]:
    """render_box, with errors told by line. toml: the box's own file; text: what ``path`` says."""
    try:
        return render_box(site, toml, POLICY.read_text("utf-8"), state, found)
    except Wrong as wrong:
        raise senseless(wrong, path, text) from wrong


def passphrases(site: Site, path: Path, text: str, state: Path) -> dict[str, Secret]:
    """What every passphrase_file of the site holds. Raises SettingsError."""
    found = {}
    for name in sorted(passphrase_files(site.wifi)) if site.wifi else ():
        try:
            found[name] = Secret((state / name).read_bytes())
        except OSError as error:
            key, said = "wifi.spots.ssids.passphrase_file", type(error).__name__
            raise senseless(Wrong(key, "passphrase_unreadable", value=name, said=said), path, text) from error
    return found


def _of_city(city: City, number: int, state: Path) -> dict[str, Rendered]:
    box = city.boxes[number]
    try:
        return render_box(box.site, box.toml, POLICY.read_text("utf-8"), state, None)
    except Wrong as wrong:
        raise senseless(wrong, city.source, city.text, number) from wrong
