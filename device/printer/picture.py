"""One-bit pictures: drawn on, read as packed bits, kept as PNG. Only importer of PIL.

Packed bits are rows from the top, each padded to whole bytes, most significant bit left, 1 = black (as ESC/POS has it).
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

BLACK, WHITE = 0, 1
OVERHANG = 8
"""How far, in dots, a glyph's ink may reach out of its cell."""
_freetype = threading.Lock()  # a FreeType face holds state while it draws


class Face:
    """One font at one size. ``size`` is the em in dots. number: of the face in a collection. shaped: its script is
    drawn word by word, since letters change and change places (Devanagari); others are drawn letter by letter. What was
    drawn once is kept.
    """

    def __init__(self, font: bytes | Path, size: int, *, number: int = 0, shaped: bool = False) -> None:
        file = str(font) if isinstance(font, Path) else io.BytesIO(font)
        engine = ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC
        self._font = ImageFont.truetype(file, size, number, layout_engine=engine)
        self._size, self._shaped = size, shaped
        self._glyphs: dict[str, tuple[int, Image.Image]] = {}
        ascent, descent = self._font.getmetrics()
        self._drop = (size - ascent - descent) // 2

    def width(self, text: str) -> int:
        """Width of ``text`` in dots, without kerning."""
        return sum(self._glyph(unit)[0] for unit in self._units(text))

    def _units(self, text: str) -> Sequence[str]:
        """What is drawn at once."""
        return re.findall(r"\s|\S+", text) if self._shaped else text

    def _glyph(self, character: str) -> tuple[int, Image.Image]:
        """The advance in dots and the ink as a mask, with OVERHANG white on every side."""
        found = self._glyphs.get(character)
        if found is None:
            with _freetype:
                advance = round(self._font.getlength(character))
                mask = Image.new("1", (advance + 2 * OVERHANG, self._size + 2 * OVERHANG), 0)
                pen = ImageDraw.Draw(mask)
                pen.fontmode = "1"
                pen.text((OVERHANG, OVERHANG + self._drop), character, fill=1, font=self._font)
            found = self._glyphs[character] = (advance, mask)
        return found

    def draw(self, on: Image.Image, x: int, y: int, text: str) -> None:
        """Draw ``text`` black, its cell's top left corner at (x, y)."""
        for unit in self._units(text):
            advance, mask = self._glyph(unit)
            on.paste(BLACK, (x - OVERHANG, y - OVERHANG), mask)
            x += advance


class Picture:
    """A white sheet of ``width`` by ``height`` dots to draw black on."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._image = Image.new("1", (width, height), WHITE)
        self._draw = ImageDraw.Draw(self._image)

    def text(self, face: Face, x: int, y: int, text: str) -> None:
        """See Face.draw."""
        face.draw(self._image, x, y, text)

    def box(self, x: int, y: int, width: int, height: int) -> None:
        """A filled black rectangle."""
        self._draw.rectangle((x, y, x + width - 1, y + height - 1), fill=BLACK)

    def grid(self, x: int, y: int, rows: list[bytes], scale: int) -> None:
        """Modules (1 = black) drawn as squares of ``scale`` dots, the top left corner at (x, y)."""
        small = Image.frombytes("L", (len(rows[0]), len(rows)), b"".join(rows)).point(lambda v: 0 if v else 255)
        big = small.resize((small.width * scale, small.height * scale), Image.Resampling.NEAREST)
        self._image.paste(big.convert("1"), (x, y))

    def bits(self) -> bytes:
        """The picture as packed bits."""
        return bytes(self._image.tobytes("raw", "1;I"))

    def png(self) -> bytes:
        """The picture as PNG."""
        return _png(self._image)


def png_of_bits(bits: bytes, width: int, height: int, dpi: int = 203) -> bytes:
    """Packed bits as PNG."""
    return _png(Image.frombytes("1", (width, height), bits, "raw", "1;I"), dpi)


def _png(image: Image.Image, dpi: int = 203) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", dpi=(dpi, dpi))
    return file.getvalue()


def bits_of_png(path: Path) -> tuple[bytes, int, int]:
    """The packed bits, width and height of a PNG file."""
    with Image.open(path) as image:
        one = image.convert("1")
        return bytes(one.tobytes("raw", "1;I")), one.width, one.height


def grey_of(picture: bytes) -> tuple[bytes, int, int] | None:
    """One byte of luminance a pixel, row by row, with width and height in pixels; None when it is no picture."""
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            grey = opened.convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # what Pillow says to other bytes
        return None
    return grey.tobytes(), *grey.size
