"""The site file described for editors and for people: JSON Schema, and a page of all keys. Made from the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from provisioning.site.city import CityFile
from provisioning.site.model import Site
from provisioning.site.partial import partial
from provisioning.site.value_types import bare, shape
from provisioning.site.words import documented, key_words

SCHEMA = Path(__file__).parent / "site.schema.json"
PAGE = Path(__file__).parent / "SITE.md"
_HEAD = """# 設定ファイルのキー / Keys of the site file

`hiroba site schema --page` が作ります。手で直さないでください。
意味は `keys.toml`、型は各部屋の `settings.py` にあります。
Made by `hiroba site schema --page`; do not edit. Meanings stand in `keys.toml`, types in the rooms' `settings.py`.

市全体のファイル：どの節も先頭に書けば全端末に、`[[boxes]]` の中に書けばその端末だけに効きます。
`[spot]` は `wifi.spots[]` と同じキーで、すべてのスポットの既定です。
端末ごとのファイルは `[[boxes]]` の代わりに `[box]` を持ちます。
In a city's file a section at the top holds for every box, and inside `[[boxes]]` for that one. `[spot]` takes the keys
of `wifi.spots[]` and holds for every spot. A box's own file has `[box]` in place of `[[boxes]]`.
"""
_TABLE = ("| キー | 書き方 | 既定 | 意味 |", "|---|---|---|---|")
_ARRAY = re.compile(r"\[\]")


def keys(schema: type[msgspec.Struct]) -> Iterator[tuple[str, inspect.Field]]:
    """Every key that holds a value, as keys.toml names it, with its field."""
    yield from _keys(inspect.type_info(schema), "")


def city_head() -> Iterator[tuple[str, inspect.Field]]:
    """The keys of a box that stand in a city's file alone."""
    return ((key, f) for key, f in keys(CityFile) if re.fullmatch(r"boxes\[\]\.\w+", key))


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of both kinds of site file: one with [box] is a box's, any other a city's."""
    (city, box), parts = msgspec.json.schema_components(
        (CityFile, partial(Site, whole=True)), schema_hook=_path_schema, ref_template="#/$defs/{name}"
    )
    for part in parts.values():
        part["description"] = cleandoc(part["description"])  # Python 3.13 does so by itself
    _describe(parts, city["$ref"], "")
    _describe(parts, box["$ref"], "")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Hiroba site file",
        "if": {"required": ["box"]},
        "then": box,
        "else": city,
        "$defs": parts,
    }


def schema_text() -> str:
    """What stands in site.schema.json."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def page_text() -> str:
    """What stands in SITE.md."""
    sections: dict[str, list[str]] = {}
    for key, field in [*city_head(), *keys(Site)]:
        section, _, name = key.rpartition(".")
        said = key_words()[key]
        row = f"| `{name}` | {shape_of(field, 'ja')} | {_default(field)} | {said['ja']}<br>{said['en']} |"
        sections.setdefault(section, []).append(row)
    parts = [_HEAD]
    for section, rows in sections.items():
        header = f"[[{section[:-2]}]]" if section.endswith("[]") else f"[{_ARRAY.sub('', section)}]"
        parts.append("\n".join([f"## `{header}`", "", *_TABLE, *rows, ""]))
    return "\n".join(parts)


def shape_of(field: inspect.Field, language: str) -> str:
    """How a value of ``field`` is written."""
    return shape(bare(field.type), language).replace("|", "\\|")


def _keys(kind: inspect.Type, path: str) -> Iterator[tuple[str, inspect.Field]]:
    table = bare(kind)
    for field in table.fields if isinstance(table, inspect.StructType) else ():
        key, inner = f"{path}.{field.name}".removeprefix("."), bare(field.type)
        item = bare(inner.item_type) if isinstance(inner, inspect.ListType | inspect.VarTupleType) else None
        if isinstance(inner, inspect.StructType):
            yield from _keys(inner, key)
        elif isinstance(item, inspect.StructType):
            yield from _keys(item, f"{key}[]")
        else:
            yield key, field


def _path_schema(kind: type) -> dict[str, Any]:
    if kind is not Path:
        raise NotImplementedError
    return {"type": "string"}


def _default(field: inspect.Field) -> str:
    if field.required:
        return "（必須）"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "" if isinstance(value, msgspec.UnsetType) else f"`{json.dumps(value, ensure_ascii=False, default=str)}`"


def _describe(parts: dict[str, Any], ref: str, path: str) -> None:
    """Give every key its meaning, which editors show beside it."""
    table = parts[ref.rpartition("/")[2]]
    for name, field in table.get("properties", {}).items():
        key = f"{path}.{name}".removeprefix(".")
        for place in [*field.get("anyOf", []), field]:
            if "$ref" in place:
                _describe(parts, place["$ref"], key)
            elif "$ref" in place.get("items", {}):
                _describe(parts, place["items"]["$ref"], f"{key}[]")
        if said := key_words().get(documented(key)):
            field["description"] = f"{said['ja']} / {said['en']}"
