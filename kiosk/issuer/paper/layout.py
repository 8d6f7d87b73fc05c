"""The layout of a certificate: texts into lines, lines into rows, rows onto pages. Pure.

The pages are known before anything is drawn: an order is quoted, and every page is marked and sealed, without a trial
rendering, and typst draws rows of given heights instead of finding them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from device.line_breaks import clusters, pieces
from kiosk.issuer.paper.sheet import Block, Item, Sheet

Widths = Callable[[str], float]
"""A text without line ends -> at most how wide the font draws it, in em."""

# Millimetres on an A4 sheet with margins of 20 mm: 170 x 257.
_PAGE, _FOOT, _TITLE, _CONTINUED, _GAP, _END = 257.0, 32.0, 17.0, 8.0, 3.0, 7.0
_NARROW, _WIDE = 48.0, 133.0  # a value of a half row, and of a whole one, within its cell
_POINT = 25.4 / 72
_SPARE = 0.25  # em; no rounding and no kerning makes a line longer than its cell


class TypeSize(msgspec.Struct, frozen=True):
    """A size of type in points; the height in mm of a row of one line, and of every line more."""

    points: float
    row: float
    line: float


_VALUE, _HEADING, _NAME, _KANA = (
    TypeSize(10, 5.5, 4.45),
    TypeSize(11, 6.4, 4.9),
    TypeSize(14, 6.4, 6.2),
    TypeSize(7, 3.1, 3.1),
)


class Cell(msgspec.Struct, frozen=True):
    """A label and the lines beside it; kana: the small lines above them."""

    label: str
    lines: list[str]
    kana: list[str] = []


class Row(msgspec.Struct, frozen=True):
    """One cell, or two side by side. height: mm."""

    height: float
    cells: list[Cell]


class PagePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a copy. first: it bears the title and ``heading``. last: it ends the copy."""

    first: bool
    last: bool
    heading: list[Row]
    blocks: list[list[Row]]


def plan(sheet: Sheet, widths: Widths) -> list[PagePlan] | None:
    """The pages of one copy; every block is whole on one of them. None: one block alone is too long for a page,
    which is a case for the counter.
    """
    heading = [_row([item], _HEADING, widths) for item in sheet.heading]
    blocks = [_block(block, widths) for block in sheet.blocks]
    room = _PAGE - _FOOT - _END
    first = room - _TITLE - _height(heading) - _GAP
    later = room - _CONTINUED
    if first < 0 or any(_height(block) > later for block in blocks):
        return None
    pages = _fill(blocks, first, later)
    return [
        PagePlan(
            first=place == 0,
            last=place == len(pages) - 1,
            heading=heading if place == 0 else [],
            blocks=blocks,
        )
        for place, blocks in enumerate(pages)
    ]


def broken(text: str, width: float, widths: Widths) -> list[str]:
    """``text`` in lines of at most ``width`` em, broken by device.line_breaks where a line has room for its runs, else
    anywhere between two clusters; together the lines are ``text``.
    """
    if widths(text) <= width:
        return [text]
    lines, line, used = [], "", 0.0
    for piece in _pieces(text, width, widths):
        wide = widths(piece)
        if line and used + wide > width:
            lines.append(line)
            line, used = "", 0.0
        line, used = line + piece, used + wide
    return [*lines, line]


def _pieces(text: str, width: float, widths: Widths) -> Iterator[str]:
    for piece in pieces(text):
        if widths(piece) <= width:
            yield piece
        else:
            yield from clusters(piece)


def _block(block: Block, widths: Widths) -> list[Row]:
    return [_name_row(block, widths), *(_row(items, _VALUE, widths) for items in block.rows)]


def _name_row(block: Block, widths: Widths) -> Row:
    name, kana = _lines(block.name, _NAME, _WIDE, widths), _lines(block.kana, _KANA, _WIDE, widths)
    kana = kana if block.kana else []
    height = _NAME.row + (len(name) - 1) * _NAME.line + len(kana) * _KANA.line
    return Row(round(height, 2), [Cell(block.label, name, kana)])


def _row(items: Sequence[Item], size: TypeSize, widths: Widths) -> Row:
    width = _WIDE if len(items) == 1 else _NARROW
    cells = [Cell(item.label, _lines(item.value, size, width, widths)) for item in items]
    tallest = max(len(cell.lines) for cell in cells)
    return Row(round(size.row + (tallest - 1) * size.line, 2), cells)


def _lines(text: str, size: TypeSize, width: float, widths: Widths) -> list[str]:
    return broken(text, width / (size.points * _POINT) - _SPARE, widths)


def _height(rows: Sequence[Row]) -> float:
    return sum(row.height for row in rows)


def _fill(blocks: Sequence[list[Row]], first: float, later: float) -> list[list[list[Row]]]:
    """Blocks in order onto pages; the first page may stay without any."""
    pages: list[list[list[Row]]] = [[]]
    room = first
    for block in blocks:
        needed = _height(block) + _GAP
        if needed > room + _GAP:
            pages.append([])
            room = later
        pages[-1].append(block)
        room -= needed
    return pages
