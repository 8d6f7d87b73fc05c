"""The site file of a city: what holds for every box, then each box with what differs. Pure.

[city] [kiosk] [wifi.portal] …   for every box
[spot]                           for every Wi-Fi spot of every box
[[boxes]]                        one box: its name, its parts, and the same sections again, key by key
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from captive_portal.settings import SpotSettings
from device.settings import Section
from provisioning.errors import NotFound
from provisioning.site.model import Part, Site
from provisioning.site.partial import names, partial

Tree = dict[str, Any]
BoxName = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""A DNS label in small letters: it becomes the host name and the name in the box's credential."""
SHARED = tuple(name for name in names(Site) if name != "box")
"""Sections that a city file may hold, for all boxes and in a box."""
OF_PART: Mapping[Part, tuple[str, ...]] = {
    "kiosk": ("card", "receipt_printer", "page_printer", "issuer_link", "kiosk"),
    "wifi": ("wifi",),
    "issuer": ("issuer",),
    "cityhall": ("cityhall",),
}
"""Part of a box -> the sections it runs by. Every box gets the others."""


class _Head(Section, frozen=True, kw_only=True):
    """One box. name: unlike any other. place: its location; asset: its number in the city's inventory. lone: it holds
    the register although it stands in a plaza. parts: what it does. Then any section of the city file, with what
    differs here.
    """

    name: BoxName
    place_ja: str = ""
    place_en: str = ""
    asset: str = ""
    lone: bool = False
    parts: Annotated[list[Part], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=lambda: ["kiosk", "wifi"])


HEAD = names(_Head)
"""Keys of a box itself."""


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


def box_tree(tree: Tree, number: int) -> Tree:
    """The merged settings of box ``number`` of a city: a box's own keys beat the city's, spots take [spot]."""
    entry = tree["boxes"][number]
    parts = entry.get("parts", ["kiosk", "wifi"])
    left_out = {name for part, sections in OF_PART.items() if part not in parts for name in sections}
    head = {key: entry[key] for key in HEAD if key in entry}
    head["parts"] = list(parts)
    box = {"box": head if "kiosk" in parts else {**head, "screen": False}}
    for name in SHARED:
        if name not in left_out and (name in tree or name in entry):
            box[name] = merged(tree.get(name, {}), entry.get(name, {}))
    if "cityhall" in box and "cityhall" in parts:
        box["cityhall"] = {**box["cityhall"], "places": {**_places(tree), **box["cityhall"].get("places", {})}}
    if "wifi" in box and "spots" in box["wifi"]:
        box["wifi"]["spots"] = [merged(tree.get("spot", {}), spot) for spot in box["wifi"]["spots"]]
    return box


def _places(tree: Tree) -> dict[str, list[str]]:
    """Box -> its location, for city hall's pages."""
    entries = [entry for entry in tree["boxes"] if isinstance(entry, dict) and "name" in entry]
    places = {entry["name"]: [entry.get("place_ja", ""), entry.get("place_en", "")] for entry in entries}
    return {name: place for name, place in places.items() if any(place)}


def merged(below: Any, above: Any) -> Any:
    """``above`` on ``below``: tables key by key, anything else as a whole."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    both = {key: merged(value, above[key]) if key in above else value for key, value in below.items()}
    return both | {key: value for key, value in above.items() if key not in below}
