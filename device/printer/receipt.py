"""Lays a Receipt out for a paper width: pure positions in dots, no drawing.

Lines break by the rules of Japanese setting (device.line_breaks).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from device.line_breaks import clusters, pieces
from device.printer.status import Receipt, ReceiptLine, ReceiptQr, ReceiptRule

CELL = 24
"""Height and full width of a character of size 1, in dots: 3 mm at 203 dpi."""
LEADING = 8
"""Space between rows, in dots."""
RULE = 2
"""Thickness of a rule, in dots."""
GAP = CELL // 2
"""Least space between a text and what stands flush right on its row, in dots."""


class Measure(Protocol):
    """What the layout must know of fonts and codes."""

    def text_width(self, text: str, size: int, bold: bool, language: str) -> int:
        """Width of ``text`` in dots."""
        ...

    def code_side(self, text: str) -> int:
        """Side of the QR code of ``text`` in dots, quiet zone included."""
        ...


@dataclass(frozen=True)
class PlacedText:
    """One row of text, its top left corner at (x, y) dots."""

    x: int
    y: int
    text: str
    size: int
    bold: bool
    language: str


@dataclass(frozen=True)
class PlacedRule:
    """A horizontal rule over the full width, RULE dots thick, its top at y."""

    y: int


@dataclass(frozen=True)
class PlacedCode:
    """A QR code of ``text``, its top left corner at (x, y) dots."""

    x: int
    y: int
    text: str


Placed = PlacedText | PlacedRule | PlacedCode


@dataclass(frozen=True)
class Layout:
    """Everything that stands on the paper; width and height in dots."""

    width: int
    height: int
    placed: tuple[Placed, ...]


def layout(receipt: Receipt, width: int, measure: Measure) -> Layout:
    """Where everything of ``receipt`` stands on paper ``width`` dots wide."""
    placed: list[Placed] = []
    y = LEADING
    for part in receipt:
        match part:
            case ReceiptLine():
                y = _line(part, y, width, measure, placed)
            case ReceiptRule():
                placed.append(PlacedRule(y + LEADING // 2))
                y += RULE + 2 * LEADING
            case ReceiptQr():
                side = measure.code_side(part.text)
                placed.append(PlacedCode(max(0, (width - side) // 2), y, part.text))
                y += side + LEADING
    return Layout(width, y, tuple(placed))


def _line(line: ReceiptLine, y: int, width: int, measure: Measure, placed: list[Placed]) -> int:
    """Place one line and say where the next begins."""

    def wide(text: str) -> int:
        return measure.text_width(text, line.size, line.bold, line.language)

    left = wrap(line.text, width, wide)
    rows = [(_x(row, line.align, width, wide), row) for row in left]
    step = CELL * line.size + LEADING
    right = wrap(line.right, width, wide) if line.right else []
    shared = bool(right) and line.align == "left" and wide(left[-1]) + GAP + wide(right[0]) <= width
    start = len(rows) - 1 if shared or not line.text else len(rows)
    for x, row in rows:
        if row:
            placed.append(PlacedText(x, y, row, line.size, line.bold, line.language))
        y += step
    y += (start - len(rows)) * step if right else 0
    for row in right:
        placed.append(PlacedText(max(0, width - wide(row)), y, row, line.size, line.bold, line.language))
        y += step
    return y


def _x(row: str, align: str, width: int, wide: _Wide) -> int:
    spare = max(0, width - wide(row))
    return {"left": 0, "center": spare // 2, "right": spare}[align]


class _Wide(Protocol):
    def __call__(self, text: str) -> int: ...


def wrap(text: str, width: int, wide: _Wide) -> list[str]:
    """``text`` as rows that are not wider than ``width`` dots, save a single character wider than the paper."""
    rows: list[str] = []
    for paragraph in text.split("\n"):
        if wide(paragraph) <= width:  # most lines; only their end is trimmed
            rows.append(paragraph.rstrip(" "))
            continue
        row = ""
        for piece in _pieces(paragraph, width, wide):
            if row and wide(row + piece.rstrip(" ")) > width:
                rows.append(row.rstrip(" "))
                row = piece.lstrip(" ")
            else:
                row += piece
        rows.append(row.rstrip(" "))
    return rows


def _pieces(text: str, width: int, wide: _Wide) -> Iterator[str]:
    """Runs that are not parted, in order; one too wide for the paper falls into its characters."""
    for piece in pieces(text):
        if wide(piece.rstrip(" ")) <= width:
            yield piece
        else:
            yield from clusters(piece)
