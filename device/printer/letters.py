"""The letters of a receipt in one language, weight and size: each drawn by the first of its fonts that has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from device.fonts import FontFile, FontMissing, GlyphMissing
from device.printer.font_coverage import coverage
from device.printer.picture import Face, Picture


class Font(NamedTuple):
    """One font at one size."""

    has: frozenset[int]
    face: Face


class Letters:
    """Measures and draws. Raises GlyphMissing for a character that none of ``fonts`` has (N12)."""

    def __init__(self, fonts: Sequence[Font]) -> None:
        self._fonts = fonts

    def width(self, text: str) -> int:
        """Width of ``text`` in dots."""
        return sum(face.width(run) for face, run in self._runs(text))

    def draw(self, on: Picture, x: int, y: int, text: str) -> None:
        """Draw ``text`` black, its cell's top left corner at (x, y)."""
        for face, run in self._runs(text):
            on.text(face, x, y, run)
            x += face.width(run)

    def _runs(self, text: str) -> Iterator[tuple[Face, str]]:
        """The longest runs of one font each."""
        last, run = None, ""
        for character in text:
            font = self._font(ord(character))
            if font is not last and last is not None:
                yield last.face, run
                run = ""
            last, run = font, run + character
        if last is not None:
            yield last.face, run

    def _font(self, point: int) -> Font:
        for font in self._fonts:
            if point in font.has:
                return font
        raise GlyphMissing(character=f"U+{point:04X}")


def open_font(font: FontFile, size: int) -> Font:
    """A font of device.fonts. Raises FontMissing."""
    if not font.path().exists():
        raise FontMissing(files=str(font.path()))
    return Font(_coverage(font), Face(font.path(), size, number=font.face, shaped=font.shaped))


@lru_cache(maxsize=8)
def _coverage(font: FontFile) -> frozenset[int]:
    return coverage(font.path().read_bytes(), font.face)
