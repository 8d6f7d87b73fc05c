"""The settings of one box, section by section: what is sound, and every mistake in the types of the rest. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, get_type_hints

import msgspec

from device.errors import SettingsError
from kiosk.settings import CitySettings
from provisioning.site.file import SiteFile
from provisioning.site.mistake_errors import as_error
from provisioning.site.mistakes import Mistake, mistake
from provisioning.site.model import BoxSettings, Site
from provisioning.site.type_mistakes import type_mistakes

_STAND_INS: Mapping[str, Any] = {
    "box": BoxSettings(name="-"),
    "city": CitySettings(name_ja="-", name_en="-", telephone="-"),
}
"""In place of a section that has to be there and is wrong, while the others are looked at."""


class CheckedSite(NamedTuple):
    """site: None when ``mistakes`` says why not."""

    site: Site | None
    mistakes: list[SettingsError]


class Sections(NamedTuple):
    """site: made of the sections that are sound; mistakes: in the types of the others."""

    site: Site
    mistakes: list[Mistake]


def types_of_box(file: SiteFile) -> CheckedSite:
    """The file of one box as far as its types go: what a process needs to start."""
    if "boxes" in file.tree:
        return CheckedSite(None, [as_error(mistake("boxes", "city_file"), file)])
    if "box" not in file.tree:
        return CheckedSite(None, [as_error(mistake("box", "no_boxes"), file)])
    site, mistakes = sections(file.tree)
    return CheckedSite(None if mistakes else site, [as_error(one, file, Site) for one in mistakes])


def sections(tree: Mapping[str, Any], told_already: Collection[str] = ()) -> Sections:
    """Each section of a box's settings by itself. told_already: sections that may be missing."""
    hints = get_type_hints(Site, include_extras=True)
    mistakes = [
        Mistake(field.name, "missing_key", {"name": field.name})
        for field in msgspec.structs.fields(Site)
        if field.required and field.name not in tree and field.name not in told_already
    ]
    sound: dict[str, Any] = {}
    for name, value in tree.items():
        if name not in hints:
            mistakes.append(Mistake(name, "unknown_key", {"name": name}))
        elif wrong := list(type_mistakes(value, hints[name], name)):
            mistakes += wrong
        else:
            sound[name] = msgspec.convert(value, hints[name])
    return Sections(Site(**{**_STAND_INS, **sound}), mistakes)
