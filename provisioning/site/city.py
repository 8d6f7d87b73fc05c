"""The site file of a city: what holds for every box, then each box with what differs. Pure but for ``read_city``.

[city] [kiosk] [wifi.portal] …   for every box
[spot]                           for every Wi-Fi spot of every box
[[boxes]]                        one box: its name, its parts, and the same sections again, key by key
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import tomli_w

from captive_portal.settings import SpotSettings
from device.errors import SettingsError
from device.settings import Section, parse, where
from provisioning.box.render.wrong import Wrong
from provisioning.errors import NotFound
from provisioning.site.checks import check_site
from provisioning.site.lines import key_lines, line_at, path_of
from provisioning.site.model import Part, Site
from provisioning.site.partial import names, partial
from provisioning.site.problems import Problem, explained, senseless
from provisioning.site.together import check_together

Tree = dict[str, Any]
BoxName = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""A DNS label in small letters: it becomes the host name and the name in the box's credential."""
SHARED = tuple(name for name in names(Site) if name != "box")
"""Sections that a city file may hold, for all boxes and in a box."""
OF_PART: Mapping[Part, tuple[str, ...]] = {
    "kiosk": ("card", "receipt_printer", "page_printer", "issuer_link", "kiosk"),
    "wifi": ("wifi",),
    "issuer": ("issuer",),
    "fleet": ("fleet",),
}
"""Part of a box -> the sections it runs by. Every box gets the others."""


class _Head(Section, frozen=True, kw_only=True):
    """One box. name: unlike any other. place: where it stands; asset: its number in the city's inventory. parts:
    what it does. Then any section of the city file, with what differs here.
    """

    name: BoxName
    place_ja: str = ""
    place_en: str = ""
    asset: str = ""
    parts: Annotated[list[Part], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=lambda: ["kiosk", "wifi"])


def _sections() -> list[tuple[str, Any, Any]]:
    whole = partial(Site)
    hints = msgspec.structs.fields(whole)
    return [(field.name, field.type, msgspec.UNSET) for field in hints if field.name in SHARED]


BoxEntry = msgspec.defstruct(
    "BoxEntry", _sections(), bases=(_Head,), frozen=True, kw_only=True, forbid_unknown_fields=True, module=__name__
)
BoxEntry.__doc__ = _Head.__doc__
CityFile = msgspec.defstruct(
    "CityFile",
    [
        ("boxes", Annotated[list[BoxEntry], msgspec.Meta(min_length=1)]),  # type: ignore[valid-type]  # made above
        ("spot", partial(SpotSettings) | msgspec.UnsetType, msgspec.UNSET),
        *_sections(),
    ],
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    module=__name__,
)
CityFile.__doc__ = "A whole city: sections for every box, [spot] for every Wi-Fi spot, and [[boxes]]."


@dataclass(frozen=True)
class CityBox:
    """One box of a city. toml: its own site file, as rendered; site: the same, read."""

    name: str
    parts: tuple[Part, ...]
    site: Site
    toml: str


@dataclass(frozen=True)
class City:
    """All boxes of one site file. source: the file; text: what it says."""

    source: Path
    text: str
    boxes: tuple[CityBox, ...]

    def box(self, name: str) -> CityBox:
        """The box called ``name``. Raises NotFound."""
        for box in self.boxes:
            if box.name == name:
                return box
        raise NotFound(what_ja="端末", what_en="box", name=name)


def text_is_city(path: Path) -> bool:
    """Whether ``path`` is meant as a city's file: it has boxes. A file that cannot be read is taken for a box's."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return bool(re.search(r"^\s*\[\[\s*boxes\s*\]\]|^\s*boxes\s*=", text, re.MULTILINE))


def read_city(path: Path) -> City:
    """The city in ``path``. Raises SettingsError with file, line, key, wrong and right."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        bare = SettingsError(file=path, line=0, key="", wrong=f"unreadable: {type(error).__name__}")
        raise explained(bare, path, CityFile) from error
    return parse_city(text, path)


def parse_city(text: str, path: Path) -> City:
    """Like ``read_city`` for a text in hand."""
    try:
        parse(text, CityFile, path)
    except SettingsError as error:
        raise explained(error, path, CityFile, text) from error
    tree = tomllib.loads(text)
    _no_name_twice(tree["boxes"], text, path)
    boxes = tuple(_box(tree, number, text, path) for number in range(len(tree["boxes"])))
    if found := check_together([box.site for box in boxes]):
        raise senseless(found[1], path, text, found[0]) from found[1]
    return City(path, text, boxes)


def box_tree(tree: Tree, number: int) -> Tree:
    """The merged settings of box ``number`` of a city: a box's own keys beat the city's, spots take [spot]."""
    entry = tree["boxes"][number]
    parts = entry.get("parts", ["kiosk", "wifi"])
    left_out = {name for part, sections in OF_PART.items() if part not in parts for name in sections}
    head = {key: entry[key] for key in ("name", "place_ja", "place_en", "asset") if key in entry}
    head["parts"] = list(parts)
    box = {"box": head if "kiosk" in parts else {**head, "screen": False}}
    for name in SHARED:
        if name not in left_out and (name in tree or name in entry):
            box[name] = merged(tree.get(name, {}), entry.get(name, {}))
    if "fleet" in box and "fleet" in parts:
        box["fleet"] = {**box["fleet"], "places": {**_places(tree), **box["fleet"].get("places", {})}}
    if "wifi" in box and "spots" in box["wifi"]:
        box["wifi"]["spots"] = [merged(tree.get("spot", {}), spot) for spot in box["wifi"]["spots"]]
    return box


def _places(tree: Tree) -> dict[str, list[str]]:
    """Box -> where it stands, for city hall's pages."""
    return {
        entry["name"]: [entry.get("place_ja", ""), entry.get("place_en", "")]
        for entry in tree["boxes"]
        if entry.get("place_ja") or entry.get("place_en")
    }


def merged(below: Any, above: Any) -> Any:
    """``above`` on ``below``: tables key by key, anything else as a whole."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    both = {key: merged(value, above[key]) if key in above else value for key, value in below.items()}
    return both | {key: value for key, value in above.items() if key not in below}


def _box(tree: Tree, number: int, text: str, path: Path) -> CityBox:
    box = box_tree(tree, number)
    name = box["box"]["name"]
    try:
        site = msgspec.convert(box, Site)
    except msgspec.ValidationError as error:
        bare = _located(str(error), number, text, path)
        raise explained(bare, path, Site, text, keep_line=True) from error
    parts = tuple(tree["boxes"][number].get("parts", ("kiosk", "wifi")))
    try:
        check_site(site)
        if "wifi" in parts and site.wifi is None:
            raise Wrong("parts", "no_spots")
    except Wrong as wrong:
        raise senseless(wrong, path, text, number) from wrong
    head = f"# Made by `hiroba` for the box {name} from the city's site file. Edit that file, not this one.\n\n"
    return CityBox(name, parts, site, head + tomli_w.dumps(box))


def _located(message: str, number: int, text: str, path: Path) -> SettingsError:
    """What is wrong only once everything is put together: a key is told where it stands, or where it is missed."""
    key, wrong = where(message)
    lines = key_lines(text)
    spot = "spot." + key.split("].", 1)[1] if key.startswith("wifi.spots[") and "]." in key else ""
    own = f"boxes[{number}].{key}" if not key.startswith("box.") else f"boxes[{number}].{key[4:]}"
    for place in (own, spot, key):
        if place and _stands(place, lines):
            return SettingsError(file=path, line=line_at(text, place, lines), key=place, wrong=wrong, within=key)
    return SettingsError(file=path, line=line_at(text, own, lines), key=own, wrong=wrong, within=key)


def _stands(key: str, lines: Mapping[tuple[str | int, ...], int]) -> bool:
    return path_of(key) in lines


def _no_name_twice(boxes: list[Tree], text: str, path: Path) -> None:
    seen: set[str] = set()
    for number, box in enumerate(boxes):
        if box["name"] in seen:
            key = f"boxes[{number}].name"
            problem = Problem("name_twice", {"value": box["name"]})
            raise problem.error(path, line_at(text, key), key)
        seen.add(box["name"])
