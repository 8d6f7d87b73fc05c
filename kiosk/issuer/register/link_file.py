"""The file of many links: CSV with a line a card, ``resident`` and ``credential`` (a file beside it, DER). Pure.

All mistakes are told at once, by line and never by a value; what is right is a plan, and nothing is linked here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from kiosk.issuer.register.errors import RegisterRefused
from kiosk.issuer.register.link_checks import LinkCandidate

T = TypeVar("T")
HEADER = ("resident", "credential")
MAX_LINES = 200_000


class PlannedLink(NamedTuple):
    """line: of the file, from 1. change: "new", "same" or "replaces"."""

    line: int
    found: LinkCandidate
    resident: str
    change: str


class LinkPlan(NamedTuple):
    """links: what would be done. mistakes: (line, what was refused); with one of them nothing is done."""

    links: list[PlannedLink]
    mistakes: list[tuple[int, RegisterRefused]]


def plan(content: bytes, read: Callable[[str], LinkCandidate], change: Callable[[LinkCandidate, str], str]) -> LinkPlan:
    """read: the checked credential in a file of that name; change: what linking it would do. Both raise
    RegisterRefused.
    """
    links: list[PlannedLink] = []
    mistakes: list[tuple[int, RegisterRefused]] = []
    try:
        rows = _rows(content)
    except RegisterRefused as refused:
        return LinkPlan([], [(1, refused)])
    people: dict[str, int] = {}
    cards: dict[tuple[str, int], int] = {}
    for line, resident, name in rows:
        try:
            found = read(name)
            _once(people, resident, line, "file_resident_twice")
            _once(cards, (found.issuer_key, found.serial), line, "file_credential_twice")
            links.append(PlannedLink(line, found, resident, change(found, resident)))
        except RegisterRefused as refused:
            mistakes.append((line, refused))
    return LinkPlan(links, mistakes)


def _rows(content: bytes) -> list[tuple[int, str, str]]:
    reader = csv.reader(io.StringIO(_text(content)))
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise RegisterRefused("file_form") from error
    if not rows or tuple(cell.strip().lower() for cell in rows[0][1]) != HEADER or len(rows) > MAX_LINES:
        raise RegisterRefused("file_form")
    filled = [(line, [cell.strip() for cell in row]) for line, row in rows[1:] if any(cell.strip() for cell in row)]
    # A line of another width is a mistake of its own: an empty name of a file is what none has.
    return [(line, row[0], row[1]) if len(row) == len(HEADER) else (line, "", "") for line, row in filled]


def _text(content: bytes) -> str:
    """UTF-8, or what spreadsheets write in Japan (cp932)."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RegisterRefused("file_form")


def _once(seen: dict[T, int], value: T, line: int, reason: str) -> None:
    first = seen.setdefault(value, line)
    if first != line:
        raise RegisterRefused(reason, first=first)
