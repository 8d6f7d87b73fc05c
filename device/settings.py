"""Reads one TOML file into one frozen object. Unknown keys and wrong values are errors that name file, line, key.

The schema is a frozen msgspec struct handed in by the caller, so each room declares its own section and this floor
knows none of them.
"""

from __future__ import annotations

import re
import tomllib
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from device.errors import SettingsError

MAX_BYTES = 4 * 1024 * 1024
"""Of a settings file. A medium's image, given by mistake, is told and not read into the memory."""

T = TypeVar("T", bound=msgspec.Struct)


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every settings section: frozen, closed to unknown keys."""


def read(path: Path, schema: type[T]) -> T:
    """The settings in ``path`` as ``schema``. Raises SettingsError (file, line, key, wrong)."""
    return parse(text_of(path), schema, path)


def text_of(path: Path) -> str:
    """The text of a settings file, its lines ended by \\n, without the mark (BOM) that some editors set before UTF-8.
    Raises SettingsError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(file=path, line=0, key="", wrong=f"unreadable: {type(error).__name__}") from error
    if len(content) > MAX_BYTES:
        raise SettingsError(file=path, line=0, key="", wrong="unreadable: TooLarge")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(text: str, schema: type[T], path: Path) -> T:
    """Like ``read`` for a text already in hand; ``path`` is only named in errors."""
    tree = tree_of(text, path)
    try:
        return msgspec.convert(tree, schema)
    except msgspec.ValidationError as error:
        key, wrong = where(str(error))
        raise SettingsError(file=path, line=line_of(text, key), key=key, wrong=wrong) from error


def tree_of(text: str, path: Path) -> dict[str, Any]:
    """``text`` as tables and values. Raises SettingsError where it is not TOML."""
    try:
        return tomllib.loads(text, parse_float=partial(_finite, text))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise SettingsError(file=path, line=line, key="", wrong=f"not TOML: {error}") from error


def _finite(text: str, number: str) -> float:
    """TOML knows inf and nan; no setting is one, and no limit holds against nan."""
    if isfinite(float(number)):
        return float(number)
    line = next(
        (n for n, said in enumerate(text.splitlines(), 1) if re.search(rf"[=\[,]\s*{re.escape(number)}", said)), 1
    )
    raise tomllib.TOMLDecodeError(f"{number} is no number (at line {line})")


def where(message: str) -> tuple[str, str]:
    """Split msgspec's message into the dotted key and what is wrong with it."""
    what, _, where = message.partition(" - at ")
    key = where.strip("`").removeprefix("$").removeprefix(".")
    missing_or_unknown = re.search(r"(?:unknown|required) field `([^`]+)`", what)
    if missing_or_unknown:
        key = f"{key}.{missing_or_unknown[1]}".removeprefix(".")
    return key, what


def line_of(text: str, key: str) -> int:
    """The line (from 1) on which ``key`` is set, or its nearest table's header; 1 when neither stands in the text."""
    wanted = re.sub(r"\[[^\]]*\]", "", key)  # an index or [...] names no line of its own
    table, best = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line)
        if header:
            table = header[1].replace('"', "")
            if wanted == table or wanted.startswith(f"{table}."):
                best = number
            continue
        found = re.match(r'\s*("?[\w.-]+"?)\s*=', line)
        if found and f"{table}.{found[1].strip(chr(34))}".removeprefix(".") == wanted:
            return number
    return best
