"""Every value of a tree that its schema does not take. msgspec stops at the first; this goes on behind it. Pure."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from device.settings import where
from provisioning.site.mistakes import Mistake

LIKE = 0.6
"""How near a name is to be, as difflib measures, to be what was meant."""
_CODES = (
    (r"not TOML: (?P<said>.*)", "not_toml"),
    (r"unreadable: (?P<said>.*)", "unreadable"),
    (r"Object contains unknown field `(?P<name>.*)`", "unknown_key"),
    (r"Object missing required field `(?P<name>.*)`", "missing_key"),
    (r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`", "wrong_kind"),
    (r"Invalid enum value (?P<value>.*)", "not_offered"),
    (r"Expected `str` matching regex .*", "wrong_form"),
    (r"Expected `(?:int|float)` (?P<limit>[<>]=? .*)", "out_of_range"),
    (r"Expected `(?:str|array)` of length (?P<limit>.*)", "wrong_length"),
)
"""msgspec's message -> the code of a mistake; anything else is what a section's own check said."""


def type_mistakes(value: object, hint: Any, key: str = "") -> Iterator[Mistake]:
    """All of ``value`` that ``hint`` (a section's class, or the type of a key) does not take. key: of ``value``."""
    refusal = _refusal(value, hint)
    if refusal is None:
        return
    inner = list(_inside(value, hint, key))
    if inner:
        yield from inner
        return
    place, said = where(refusal)
    separator = "." if key and place and not place.startswith("[") else ""
    yield classify(f"{key}{separator}{place}", said)


def classify(key: str, said: str) -> Mistake:
    """The mistake behind one of msgspec's messages, or behind the words of a section's own check."""
    for pattern, code in _CODES:
        if found := re.fullmatch(pattern, said, re.DOTALL):
            return Mistake(key, code, found.groupdict())
    return Mistake(key, "invalid", {"said": said})


def _refusal(value: object, hint: Any) -> str | None:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        return str(error)
    return None


def _inside(value: object, hint: Any, key: str) -> Iterator[Mistake]:
    hint = _plain(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if isinstance(value, dict) and isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield from _section(value, hint, key)
    elif isinstance(value, dict) and origin is dict:
        for name, one in value.items():
            yield from type_mistakes(one, inner[1], f"{key}.{name}")
    elif isinstance(value, list) and origin is list:
        for place, one in enumerate(value):
            yield from type_mistakes(one, inner[0], f"{key}[{place}]")


def _section(value: dict[str, Any], section: type[msgspec.Struct], key: str) -> Iterator[Mistake]:
    """A missing key beside an unknown one that looks alike is one mistake: the unknown one's."""
    hints = get_type_hints(section, include_extras=True)
    unknown = [name for name in value if name not in section.__struct_fields__]
    for field in msgspec.structs.fields(section):
        missing = field.required and field.name not in value
        if missing and not difflib.get_close_matches(field.name, unknown, 1, LIKE):
            yield Mistake(f"{key}.{field.name}".removeprefix("."), "missing_key", {"name": field.name})
    for name, one in value.items():
        path = f"{key}.{name}".removeprefix(".")
        if name in section.__struct_fields__:
            yield from type_mistakes(one, hints[name], path)
        elif section.__struct_config__.forbid_unknown_fields:
            yield Mistake(path, "unknown_key", {"name": name})


def _plain(hint: Any) -> Any:
    """Without limits, None and UNSET."""
    if get_origin(hint) is Annotated:
        return _plain(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        kept = [part for part in get_args(hint) if part not in (types.NoneType, msgspec.UnsetType)]
        return _plain(kept[0]) if len(kept) == 1 else hint
    return hint
