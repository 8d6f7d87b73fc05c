"""Every mistake in the file of a city: its own types, each box that comes out of it, all boxes together. Pure.

A section that holds a mistake is left out of the later looks, so that one mistake hides none of another section.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tomli_w

from device.errors import SettingsError
from provisioning.site.box_types import sections
from provisioning.site.checks import site_mistakes
from provisioning.site.city import HEAD, SHARED, City, CityBox, CityFile, Tree, box_tree
from provisioning.site.cross_box_checks import city_mistakes
from provisioning.site.file import SiteFile
from provisioning.site.lines import path_of
from provisioning.site.lone import lone_mistakes
from provisioning.site.mistake_errors import as_error, key_in_city
from provisioning.site.mistakes import Mistake, mistake
from provisioning.site.model import Site
from provisioning.site.type_mistakes import type_mistakes
from provisioning.site.words import documented


class CheckedCity(NamedTuple):
    """city: None when ``mistakes`` says why not."""

    city: City | None
    mistakes: list[SettingsError]


class _Box(NamedTuple):
    """One box of a city. tree: its merged settings; site: of its sound sections; of_types, of_sense: its mistakes."""

    tree: Tree
    site: Site
    of_types: list[Mistake]
    of_sense: list[Mistake]


def check_city(file: SiteFile) -> CheckedCity:
    """The file of a city."""
    of_types = list(type_mistakes(file.tree, CityFile))
    tree, left_out = _sound(file.tree, of_types)
    usable = [number for number, entry in enumerate(tree["boxes"]) if "name" in entry and "box" not in left_out[number]]
    boxes = {number: _box(tree, number, left_out[number]) for number in usable}
    for_all = _missing_everywhere(boxes)
    found = [as_error(one, file, CityFile) for one in of_types]
    found += [as_error(one, file, Site, key) for key, one in for_all.items()]
    found += [as_error(one, file) for one in _names_twice(boxes)]
    for number, box in boxes.items():
        own = [one for one in box.of_types if _for_all(one) not in for_all]
        found += [as_error(one, file, Site, key_in_city(one, file, number)) for one in own]
    sense = [(number, one) for number, box in boxes.items() for one in box.of_sense]
    sense += city_mistakes({number: box.site for number, box in boxes.items()})
    found += [as_error(one, file, None, key_in_city(one, file, number)) for number, one in sense]
    city = None if found else City(file.path, file.text, tuple(_made(box) for box in boxes.values()))
    return CheckedCity(city, _once(found))


def _box(tree: Tree, number: int, left_out: set[str]) -> _Box:
    """left_out: sections in which a mistake was told already."""
    own = {name: value for name, value in box_tree(tree, number).items() if name not in left_out}
    site, mistakes = sections(own, left_out)
    sense = [*site_mistakes(site), *lone_mistakes(own)]
    if "wifi" in site.box.parts and "wifi" not in own and "wifi" not in left_out:
        sense.append(mistake("parts", "no_spots"))
    return _Box(own, site, mistakes, sense)


def _made(box: _Box) -> CityBox:
    name = box.site.box.name
    head = f"# Made by `hiroba` for the box {name} from the city's site file. Edit that file, not this one.\n\n"
    return CityBox(name, tuple(box.site.box.parts), box.site, head + tomli_w.dumps(box.tree))


def _sound(tree: Tree, mistakes: Sequence[Mistake]) -> tuple[Tree, dict[int, set[str]]]:
    """``tree`` without the sections that hold a mistake, and which of them each box lacks; "box": its own head."""
    entries = tree.get("boxes")
    boxes = [dict(entry) if isinstance(entry, dict) else {} for entry in entries] if isinstance(entries, list) else []
    sound: Tree = {**tree, "boxes": boxes}
    left_out: dict[int, set[str]] = {number: set() for number in range(len(boxes))}
    for one in mistakes:
        first, *rest = path_of(one.key) or ("",)
        if first != "boxes":
            sound.pop(str(first), None)
            for lacking in left_out.values():
                lacking.add("wifi" if first == "spot" else str(first))
        elif rest:
            _leave_out(boxes, left_out, rest)
    return sound, left_out


def _leave_out(boxes: list[Tree], left_out: dict[int, set[str]], path: Sequence[str | int]) -> None:
    """path: below ``boxes``, the box's number first."""
    number, name = int(path[0]), str(path[1]) if len(path) > 1 else "name"
    boxes[number].pop(name, None)
    if name in SHARED:
        left_out[number].add(name)
    elif name in HEAD:
        left_out[number].add("box")


def _missing_everywhere(boxes: Mapping[int, _Box]) -> dict[str, Mistake]:
    """Key for all boxes -> a mistake that every box with that section has: one of the city, not of each box."""
    missing: dict[str, Mistake] = {}
    times: Counter[str] = Counter()
    for box in boxes.values():
        own = {_for_all(one): one for one in box.of_types if one.code == "missing_key"}
        missing |= own
        times.update(own.keys())
    having = Counter(name for box in boxes.values() for name in box.tree)
    return {
        key: one
        for key, one in missing.items()
        if times[key] > 1 and times[key] >= (having[one.key.partition(".")[0]] or len(boxes))
    }


def _for_all(one: Mistake) -> str:
    """Where the key of a mistake would stand for every box."""
    key = documented(one.key)
    return f"spot.{key.removeprefix('wifi.spots[].')}" if key.startswith("wifi.spots[].") else key


def _names_twice(boxes: Mapping[int, _Box]) -> list[Mistake]:
    found, seen = [], set()
    for number, box in boxes.items():
        name = box.site.box.name
        if name in seen:
            found.append(mistake(f"boxes[{number}].name", "name_twice", value=name))
        seen.add(name)
    return found


def _once(found: Sequence[SettingsError]) -> list[SettingsError]:
    """Without what is said twice, as of a section that holds for many boxes."""
    return list({(error.facts["key"], error.facts["line"], error.facts["wrong"]): error for error in found}.values())
