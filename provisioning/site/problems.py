"""What is wrong with a setting and what would be right, in both languages, out of msgspec's message and the schema."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from device.errors import SettingsError
from provisioning.box.render.wrong import Wrong
from provisioning.site.lines import key_lines, line_at

_RULES = (
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
"""msgspec's message -> the code of a problem; anything else is what a section's own check said."""
_SECOND = {"name_twice", "spot_twice", "shared_leases", "same_interface", "networks_overlap"}
"""Problems of two settings that are told at the second."""
_SAID = ("said", "got")
"""Facts in a program's words, which words.toml has in people's."""
_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Problem:
    """code: a key of [wrong] in words.toml; facts: its places."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)

    def words(self, part: str, language: str) -> str:
        """part: "wrong" or "right"."""
        entry = words()[part].get(self.code, {})
        own = {
            name: words()[name].get(fact, {}).get(language, fact) for name, fact in self.facts.items() if name in _SAID
        }
        return str(entry.get(language, "")).format_map({**self.facts, **own})

    def error(self, file: Path, line: int, key: str, right: Mapping[str, str] | None = None) -> SettingsError:
        """As an error for people. right: language -> what would be right, when the words alone do not say it."""
        rights = right or {language: self.words("right", language) for language in ("ja", "en")}
        return SettingsError(
            file=file,
            line=line,
            key=key,
            wrong=self.words("wrong", "en"),
            right=rights["en"],
            wrong_ja=self.words("wrong", "ja"),
            right_ja=rights["ja"],
        )


def _translated(name: str, said: str, language: str) -> str:
    return str(words()[name].get(said, {}).get(language, said))


@cache
def words() -> Mapping[str, Any]:
    """words.toml."""
    return tomllib.loads(resources.files("provisioning.site").joinpath("words.toml").read_text("utf-8"))


@cache
def key_words() -> Mapping[str, Mapping[str, str]]:
    """keys.toml: key as "wifi.spots[].name" -> language -> what it means."""
    return tomllib.loads(resources.files("provisioning.site").joinpath("keys.toml").read_text("utf-8"))


def explained(
    error: SettingsError,
    path: Path,
    schema: type[msgspec.Struct],
    text: str | None = None,
    *,
    keep_line: bool = False,
) -> SettingsError:
    """``error`` with its exact line, and with wrong and right in both languages. schema: what the file was read as."""
    key, said = str(error.facts["key"]), str(error.facts["wrong"])
    within = str(error.facts.get("within", key))
    problem = classify(said)
    if text is None and problem.code != "unreadable":
        text = path.read_text("utf-8", "replace")
    line = int(str(error.facts["line"]))
    if text is not None and key and not keep_line:
        line = line_at(text, key)
    return problem.error(path, line, key, right_of(problem, schema, within))


def senseless(wrong: Wrong, path: Path, text: str, box: int | None = None) -> SettingsError:
    """A setting of the right type that makes no sense, with the line where it stands. box: its number in a city."""
    key, line = _found(wrong, text, box)
    return Problem(wrong.code, wrong.facts).error(path, line, key)


def _found(wrong: Wrong, text: str, box: int | None) -> tuple[str, int]:
    """The key with its numbers, and its line: the one that holds the wrong value, else the first of that name."""
    names = tuple(wrong.key.split("."))
    wanted = {names, ("boxes", *names)} | ({("spot", *names[2:])} if names[:2] == ("wifi", "spots") else set())
    lines = text.splitlines()
    places = [
        (place, line)
        for place, line in key_lines(text).items()
        if tuple(part for part in place if isinstance(part, str)) in wanted
        and (box is None or place[0] != "boxes" or place[1] == box)
    ]
    holding = [found for found in places if wrong.facts.get("value", "\0") in lines[found[1] - 1]]
    if not places:
        return _missed(wrong.key, text, box)
    place, line = (holding or places)[-1 if wrong.code in _SECOND else 0]
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)[1:], line


def _missed(key: str, text: str, box: int | None) -> tuple[str, int]:
    """A key that is written nowhere: at the section nearest to it, its box's own or the city's, else at the box."""
    lines, names = key_lines(text), tuple(key.split("."))
    depths = range(len(names), 0, -1)
    in_box = next((n for n in depths if ("boxes", box, *names[:n]) in lines), 0)
    if box is None or in_box < next((n for n in depths if names[:n] in lines), 0):
        return key, line_at(text, key, lines)
    return f"boxes[{box}].{key}", line_at(text, f"boxes[{box}].{key}", lines)


def classify(said: str) -> Problem:
    """The problem behind one of msgspec's messages, or behind the words of a section's own check."""
    for pattern, code in _RULES:
        if found := re.fullmatch(pattern, said, re.DOTALL):
            return Problem(code, found.groupdict())
    return Problem("invalid", {"said": said})


def right_of(problem: Problem, schema: type[msgspec.Struct], key: str) -> dict[str, str]:
    """language -> what would be right for ``key``."""
    return {language: _right(problem, schema, key, language) for language in ("ja", "en")}


def _right(problem: Problem, schema: type[msgspec.Struct], key: str, language: str) -> str:
    if problem.code == "unknown_key":
        return _nearest(key, schema, language)
    if hint := words()["said_right"].get(problem.facts.get("said", "")):
        return str(hint[language])
    said = problem.words("right", language)
    kind = shape(type_at(schema, key), language) if key else ""
    meaning = key_words().get(general(key), {}).get(language, "")
    marks = "（{}）" if language == "ja" else "({})"
    return " ".join(part for part in (said, kind, marks.format(meaning) if meaning else "") if part)


def _nearest(key: str, schema: type[msgspec.Struct], language: str) -> str:
    parent, _, name = key.rpartition(".")
    table = type_at(schema, parent) if parent else inspect.type_info(schema)
    known = [f.name for f in table.fields] if isinstance(table, inspect.StructType) else []
    near = difflib.get_close_matches(name, known, 1, 0.6)
    code = "near" if near else "known"
    return str(words()["right"][code][language]).format(near=near[0] if near else "", known=", ".join(known))


def general(key: str) -> str:
    """The key as keys.toml has it: no numbers, and not which box or spot it was said for."""
    plain = _INDEX.sub("[]", key)
    plain = re.sub(r"^boxes\[\]\.(?=[a-z_]+[.\[])", "", plain)
    return re.sub(r"^spot\.", "wifi.spots[].", plain)


def type_at(schema: type[msgspec.Struct], key: str) -> inspect.Type | None:
    """The type of ``key``, or None when the schema has no such key."""
    found: inspect.Type | None = inspect.type_info(schema)
    for name in re.findall(r"[^.\[\]]+", key):
        found = _inside(found, name)
    return found


def _inside(table: inspect.Type | None, name: str) -> inspect.Type | None:
    if isinstance(table, inspect.ListType | inspect.VarTupleType):
        return bare(table.item_type)
    if isinstance(table, inspect.DictType):
        return bare(table.value_type)
    if isinstance(table, inspect.StructType):
        return next((bare(f.type) for f in table.fields if f.name == name), None)
    return None


def bare(kind: inspect.Type) -> inspect.Type:
    """Without None, UNSET and the wrapping that carries documentation."""
    if isinstance(kind, inspect.UnionType):
        return bare(next(t for t in kind.types if not _nothing(t)))
    return bare(kind.type) if isinstance(kind, inspect.Metadata) else kind


def _nothing(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.NoneType) or (
        isinstance(kind, inspect.CustomType) and kind.cls is msgspec.UnsetType
    )


def shape(kind: inspect.Type | None, language: str) -> str:
    """What a value of ``kind`` looks like: words, limits, choices."""
    said = words()["kind"]
    if isinstance(kind, inspect.LiteralType):
        return str(said["choice"][language]).format(values=", ".join(f'"{v}"' for v in kind.values))
    if isinstance(kind, inspect.StrType) and kind.pattern in words()["form"]:
        return str(words()["form"][kind.pattern][language])
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return str(said["list"][language]).format(item=shape(bare(kind.item_type), language))
    name = "str" if isinstance(kind, inspect.CustomType) else type(kind).__name__.removesuffix("Type").lower()
    text = str(said[name][language]) if name in said else ""
    return text + _limits(kind, language)


def _limits(kind: inspect.Type | None, language: str) -> str:
    pairs = (("ge", "least"), ("le", "most"), ("min_length", "shortest"), ("max_length", "longest"))
    found = [(word, getattr(kind, name, None)) for name, word in pairs]
    told = [str(words()["kind"][word][language]).format(limit=limit) for word, limit in found if limit is not None]
    return " ".join(["", *told]) if told else ""
