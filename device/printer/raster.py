"""Draws a laid-out receipt as one-bit dots at 203 dpi.

Text is always drawn, never sent as characters: kanji ROMs lack names' characters and differ
(docs/sources.md#receipt-characters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device.fonts import FontMissing, own_fonts
from device.printer.font_coverage import coverage
from device.printer.letters import Font, Letters, open_font
from device.printer.picture import Face, Picture
from device.printer.receipt import CELL, RULE, Layout, PlacedCode, PlacedRule, PlacedText, layout
from device.printer.status import Receipt
from device.qr import modules

MODULE = 5
"""Side of a QR module in dots: 0.63 mm."""
BIZ = Path("/usr/share/fonts/truetype/bizud-gothic")
REGULAR = (BIZ / "BIZUDGothic-Regular.ttf",)
BOLD = (BIZ / "BIZUDGothic-Bold.ttf",)


@dataclass(frozen=True)
class Raster:
    """A drawn receipt: packed bits (picture.py), width and height in dots."""

    bits: bytes
    width: int
    height: int


class ReceiptRenderer:
    """Receipt in, dots out. Keeps its fonts loaded: Japanese from the start, others when a line is in their language.

    regular, bold: files of the Japanese font, the first that exists is taken. Raises FontMissing at once, when there is
    none.
    """

    def __init__(self, width: int = 576, regular: Sequence[Path] = REGULAR, bold: Sequence[Path] = BOLD) -> None:
        self._width = width // 8 * 8
        self._fonts: dict[tuple[int, bool], Font] = {}
        for is_bold, files in ((False, regular), (True, bold)):
            content = _first(files)
            has = coverage(content)
            for size in (1, 2):
                self._fonts[size, is_bold] = Font(has, Face(content, CELL * size))
        self._letters: dict[tuple[str, int, bool], Letters] = {}

    def text_width(self, text: str, size: int, bold: bool, language: str) -> int:
        """See receipt.Measure. Raises GlyphMissing and FontMissing."""
        return self._of(language, size, bold).width(text)

    def _of(self, language: str, size: int, bold: bool) -> Letters:
        found = self._letters.get((language, size, bold))
        if found is None:
            own = [open_font(font, CELL * size) for font in own_fonts(language, bold=bold)]
            found = self._letters[language, size, bold] = Letters([*own, self._fonts[size, bold]])
        return found

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
                    letters = self._of(item.language, item.size, item.bold)
                    letters.draw(picture, item.x, item.y, item.text)
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
