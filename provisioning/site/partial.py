"""A settings section in which every key may be left out: what a city file says once for all boxes.

Types are made from the rooms' own sections, so that a new key there is a key here.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

S = TypeVar("S", bound=type[msgspec.Struct])


def partial(section: type[msgspec.Struct], *, whole: bool = False) -> type[msgspec.Struct]:
    """``section`` with the same keys, types and limits, every one of them UNSET by default, and its docstring.

    Lists stay lists of partial sections: their elements take defaults as well. whole: what the section demands stays
    demanded, so that only its default values are left out.
    """
    return _made(section, whole)


@cache
def _made(section: type[msgspec.Struct], whole: bool) -> type[msgspec.Struct]:
    hints = get_type_hints(section, include_extras=True)
    fields: list[Any] = []
    for field in msgspec.structs.fields(section):
        kind = loose(hints[field.name], whole=whole)
        optional = (field.name, Union[kind, msgspec.UnsetType], msgspec.UNSET)  # noqa: UP007  # made at run time
        fields.append((field.name, kind) if whole and field.required else optional)
    made = msgspec.defstruct(
        section.__name__ if whole else section.__name__.removesuffix("Settings") + "Defaults",
        fields,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        module=__name__,
    )
    made.__doc__ = section.__doc__
    return made


def names(section: type[msgspec.Struct]) -> tuple[str, ...]:
    """The section's keys, in order."""
    return section.__struct_fields__


def loose(hint: Any, *, whole: bool = False) -> Any:
    """``hint`` with every section in it made partial; unless ``whole``, a list may be empty."""
    origin = get_origin(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return partial(hint, whole=whole)
    if origin is Annotated and get_origin(get_args(hint)[0]) is list:
        inner = loose(get_args(hint)[0], whole=whole)
        return Annotated[inner, *get_args(hint)[1:]] if whole else inner
    if origin is list:
        return list[loose(get_args(hint)[0], whole=whole)]  # type: ignore[misc]  # made at run time
    if origin in (Union, types.UnionType):
        kept = tuple(loose(part, whole=whole) for part in get_args(hint) if part is not types.NoneType)
        return Union[kept]  # noqa: UP007  # made at run time
    return hint
