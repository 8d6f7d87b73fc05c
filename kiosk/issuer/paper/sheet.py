"""The words of one copy of a certificate, item by item, before anything is laid out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec


class Item(msgspec.Struct, frozen=True):
    """A label and its value."""

    label: str
    value: str


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """One table that stays whole on a page: a large first row with kana above, then rows of one or two items."""

    label: str
    kana: str
    name: str
    rows: list[list[Item]]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one copy. heading: on the first page only; continued: in place of the title on later pages;
    sentence: what is certified, on the last page.
    """

    title: str
    continued: str
    heading: list[Item]
    blocks: list[Block]
    end: str
    sentence: str
    date: str
    authority: str
    number_label: str
    number: str


class IssueFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts on a paper besides the register's content. authority: who certifies. day: the date on the paper."""

    number: str
    authority: str
    day: date


def words_of(sheet: Sheet) -> Iterator[str]:
    """Every text of the sheet, for the glyph check."""
    return _texts(msgspec.to_builtins(sheet))


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
