"""Draws a laid-out receipt as one-bit dots at 203 dpi.

Text is always drawn, never sent as characters: kanji ROMs lack names' characters and differ
(docs/sources.md#receipt-characters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device.errors import PrinterError
from device.printer.font_coverage import coverage
from device.printer.picture import Face, Picture
from device.printer.receipt import CELL, RULE, Layout, PlacedCode, PlacedRule, PlacedText, layout
from device.printer.status import Receipt
from device.qr import modules

MODULE = 5
"""Side of a QR module in dots: 0.63 mm."""
BIZ = Path("/usr/share/fonts/truetype/bizud-gothic")
REGULAR = (BIZ / "BIZUDGothic-Regular.ttf",)
BOLD = (BIZ / "BIZUDGothic-Bold.ttf",)


class GlyphMissing(PrinterError):
    """The receipt's font has no glyph for a character; nothing is replaced silently (N12). facts: character."""

    code = "printer.glyph_missing"


class FontMissing(PrinterError):
    """None of the font files is there. facts: files."""

    code = "printer.font_missing"


@dataclass(frozen=True)
class Raster:
    """A drawn receipt: packed bits (picture.py), width and height in dots."""

    bits: bytes
    width: int
    height: int


class ReceiptRenderer:
    """Receipt in, dots out. Keeps its fonts loaded. The first file of each list that exists is the font.

    Raises FontMissing at once, when a list has none.
    """

    def __init__(self, width: int = 576, regular: Sequence[Path] = REGULAR, bold: Sequence[Path] = BOLD) -> None:
        self._width = width // 8 * 8
        fonts = {False: _first(regular), True: _first(bold)}
        self._has = {weight: coverage(font) for weight, font in fonts.items()}
        self._faces = {(size, w): Face(font, CELL * size) for w, font in fonts.items() for size in (1, 2)}

    def text_width(self, text: str, size: int, bold: bool) -> int:
        """See receipt.Measure. Raises GlyphMissing."""
        has = self._has[bold]
        for character in text:
            if ord(character) not in has:
                raise GlyphMissing(character=f"U+{ord(character):04X}")
        return self._faces[size, bold].width(text)

    def code_side(self, text: str) -> int:
        """See receipt.Measure."""
        return len(modules(text)) * self._scale(text)

    def _scale(self, text: str) -> int:
        return max(1, min(MODULE, self._width // len(modules(text))))

    def render(self, receipt: Receipt) -> Raster:
        """``receipt`` as dots. Raises GlyphMissing."""
        picture = self.draw(layout(receipt, self._width, self))
        return Raster(picture.bits(), picture.width, picture.height)

    def draw(self, page: Layout) -> Picture:
        """A layout as a picture."""
        picture = Picture(page.width, page.height)
        for item in page.placed:
            match item:
                case PlacedText():
                    picture.text(self._faces[item.size, item.bold], item.x, item.y, item.text)
                case PlacedRule():
                    picture.box(0, item.y, page.width, RULE)
                case PlacedCode():
                    picture.grid(item.x, item.y, list(modules(item.text)), self._scale(item.text))
        return picture


def _first(files: Sequence[Path]) -> bytes:
    for file in files:
        if file.exists():
            return file.read_bytes()
    raise FontMissing(files=",".join(str(f) for f in files))
