"""Mistakes as errors for people: where each stands in the file, what is wrong, what would be right."""

from __future__ import annotations

import difflib
from typing import Any

import msgspec
from msgspec import inspect

from device.errors import SettingsError
from provisioning.site.file import SiteFile
from provisioning.site.lines import line_at, path_of
from provisioning.site.mistakes import Mistake
from provisioning.site.type_mistakes import LIKE
from provisioning.site.value_types import shape, type_at
from provisioning.site.words import LANGUAGES, documented, key_words, sentence, words


def as_error(
    mistake: Mistake, file: SiteFile, schema: type[msgspec.Struct] | None = None, key: str = ""
) -> SettingsError:
    """``mistake`` with its line. schema: what its key was read as, where that says what is right. key: where it stands
    in the file, if not where the mistake says.
    """
    place = key or mistake.key
    return error_at(mistake, file, line_at(file.text, place) if place else 1, place, schema)


def error_at(
    mistake: Mistake, file: SiteFile, line: int, key: str, schema: type[msgspec.Struct] | None = None
) -> SettingsError:
    """``mistake`` at ``line`` in both languages."""
    wrong = {lang: sentence("wrong", mistake.code, mistake.facts, lang) for lang in LANGUAGES}
    right = {lang: _right(mistake, schema, lang) for lang in LANGUAGES}
    return SettingsError(
        file=file.path,
        line=line,
        key=key,
        wrong=wrong["en"],
        right=right["en"],
        wrong_ja=wrong["ja"],
        right_ja=right["ja"],
    )


def key_in_city(mistake: Mistake, file: SiteFile, box: int) -> str:
    """Where a key of box number ``box`` stands in the file of its city: in the box, in [spot] or in a section for all;
    a key that stands nowhere belongs to the section nearest to it.
    """
    key = mistake.key
    own = f"boxes[{box}].{key.removeprefix('box.')}"
    spot = f"spot.{key.split('].', 1)[1]}" if key.startswith("wifi.spots[") and "]." in key else ""
    found = [(place, _depth(file.tree, place)) for place in (own, spot, key) if place]
    for place, depth in found:
        if depth == len(path_of(place)):
            return place
    if mistake.code in ("missing_key", "unknown_key"):
        return own
    shared = {own: -2, spot: 2, key: 0}  # [boxes] and its number lead; [spot] stands for wifi, spots and a number
    return max(found, key=lambda one: one[1] + shared[one[0]] if one[1] else 0)[0]


def _depth(tree: Any, key: str) -> int:
    """How many names and numbers of ``key`` lead somewhere in ``tree``."""
    depth = 0
    for part in path_of(key):
        if isinstance(part, int):
            inside = isinstance(tree, list) and part < len(tree)
        else:
            inside = isinstance(tree, dict) and part in tree
        if not inside:
            break
        tree, depth = tree[part], depth + 1
    return depth


def _right(mistake: Mistake, schema: type[msgspec.Struct] | None, language: str) -> str:
    said = sentence("right", mistake.code, mistake.facts, language)
    if schema is None:
        return said
    if mistake.code == "unknown_key":
        return _nearest(mistake.key, schema, language)
    if hint := words()["said_right"].get(mistake.facts.get("said", "")):
        return str(hint[language])
    kind = shape(type_at(schema, mistake.key), language) if mistake.key else ""
    meaning = key_words().get(documented(mistake.key), {}).get(language, "")
    brackets = words()["kind"]["meaning"][language]
    return " ".join(part for part in (said, kind, brackets.format(meaning=meaning) if meaning else "") if part)


def _nearest(key: str, schema: type[msgspec.Struct], language: str) -> str:
    parent, _, name = key.rpartition(".")
    table = type_at(schema, parent) if parent else inspect.type_info(schema)
    known = [f.name for f in table.fields] if isinstance(table, inspect.StructType) else []
    near = difflib.get_close_matches(name, known, 1, LIKE)
    code = "near" if near else "known"
    return str(words()["right"][code][language]).format(near=near[0] if near else "", known=", ".join(known))
