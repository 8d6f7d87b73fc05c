"""From a site file on disk to what it renders: finds the box in it, its passphrases, and reports mistakes by line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from device.errors import SettingsError
from device.secrets import Secret
from provisioning.box.render.box import render_box
from provisioning.box.render.files import Rendered, passphrase_files
from provisioning.errors import BoxNotNamed, OtherBox
from provisioning.site.box_check import check_box
from provisioning.site.box_types import sections
from provisioning.site.city import City
from provisioning.site.city_check import check_city
from provisioning.site.city_reading import read_city
from provisioning.site.file import SiteFile
from provisioning.site.mistake_errors import as_error, key_in_city
from provisioning.site.mistakes import Mistake, mistake
from provisioning.site.model import Site
from provisioning.site.reading import open_file, read_site
from provisioning.site.wifi_checks import passphrase_mistakes, wifi_mistakes

POLICY = Path(__file__).resolve().parents[3] / "systemd" / "chromium" / "hiroba.json"
"""The browser policy as shipped, beside this package in a checkout and in a slot."""


class BoxFile(NamedTuple):
    """One box in the file that staff wrote. number: of the box in a city's file, None for its own; toml: its own file,
    as it goes to the box.
    """

    file: SiteFile
    number: int | None
    site: Site
    toml: str

    def as_error(self, found: Mistake) -> SettingsError:
        """``found`` with the line of the file that staff wrote."""
        key = "" if self.number is None else key_in_city(found, self.file, self.number)
        return as_error(found, self.file, None, key)


class FileCheck(NamedTuple):
    """facts: what a program may want to know of a sound file; mistakes: by line, none when it is sound."""

    facts: dict[str, Any]
    mistakes: list[SettingsError]


def open_box(config: Path, name: str) -> BoxFile:
    """One box: out of a city's file by its name, or the file itself. Raises SettingsError, NotFound, BoxNotNamed,
    OtherBox.
    """
    file = open_file(config)
    if "boxes" not in file.tree:
        site = read_site(config)
        if name not in ("", site.box.name):
            raise OtherBox(file=config, box=site.box.name, name=name)
        return BoxFile(file, None, site, file.text)
    city = read_city(config)
    if not name:
        raise BoxNotNamed(file=config, boxes=", ".join(found.name for found in city.boxes))
    found = city.box(name)
    return BoxFile(file, city.boxes.index(found), found.site, found.toml)


def check_file(path: Path, state: Path) -> FileCheck:
    """Everything that can be known to be right before it is on a box. Raises SettingsError where there is no tree to
    look at. Passphrases of a city's boxes are on the boxes and not read here.
    """
    file = open_file(path)
    if "boxes" in file.tree:
        city, mistakes = check_city(file)
        return FileCheck({"boxes": city_files(city, state)} if city else {}, _by_line(mistakes))
    site, mistakes = check_box(file)
    found: Mapping[str, Secret] = {}
    if "box" in file.tree:
        found, missing = _passphrases(sections(file.tree).site, state)
        mistakes = [*mistakes, *(as_error(one, file) for one in missing)]
    if site is None or mistakes:
        return FileCheck({}, _by_line(mistakes))
    places = render_box(site, file.text, POLICY.read_text("utf-8"), state, found)
    wifi = [place.rpartition("/")[2] for place in places if "/wifi/" in place]
    return FileCheck({"box": site.box.name, "files": sorted(wifi), "places": sorted(places)}, [])


def city_files(city: City, state: Path) -> dict[str, list[str]]:
    """box -> the files it would get."""
    policy = POLICY.read_text("utf-8")
    return {box.name: sorted(render_box(box.site, box.toml, policy, state, None)) for box in city.boxes}


def box_files(box: BoxFile, state: Path, found: Mapping[str, Secret] | None) -> dict[str, Rendered]:
    """render_box. found: see ``passphrases``; None leaves out the radios that need one. Raises SettingsError."""
    for one in wifi_mistakes(box.site):
        raise box.as_error(one)
    return render_box(box.site, box.toml, POLICY.read_text("utf-8"), state, found)


def passphrases(box: BoxFile, state: Path) -> dict[str, Secret]:
    """What every passphrase_file of the box holds. Raises SettingsError."""
    found, missing = _passphrases(box.site, state)
    if missing:
        raise box.as_error(missing[0])
    return found


def _passphrases(site: Site, state: Path) -> tuple[dict[str, Secret], list[Mistake]]:
    if site.wifi is None:
        return {}, []
    found, unreadable = {}, {}
    for name in sorted(passphrase_files(site.wifi)):
        try:
            found[name] = Secret((state / name).read_bytes())
        except OSError as error:
            unreadable[name] = type(error).__name__
    mistakes: dict[str, Mistake] = {}  # each file is reported once
    for one in passphrase_mistakes(site.wifi, found):
        name = one.facts["value"]
        said = unreadable.get(name)
        mistakes.setdefault(name, mistake(one.key, "passphrase_unreadable", value=name, said=said) if said else one)
    return found, list(mistakes.values())


def _by_line(mistakes: list[SettingsError]) -> list[SettingsError]:
    return sorted(mistakes, key=lambda error: int(str(error.facts["line"])))
