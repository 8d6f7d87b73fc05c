"""What a key of the site file may hold, out of the schema: its type, its limits, what it looks like in words."""

from __future__ import annotations

import re

import msgspec
from msgspec import inspect

from provisioning.site.words import words


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
    if isinstance(kind, inspect.StrType) and kind.pattern and kind.pattern in words()["form"]:
        return words()["form"][kind.pattern][language]
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
