"""What a page of our press draws, read from its content stream: a row of blocks of four sorts and nothing else. Pure.

A block sets its matrix and one grey, then writes one run of text, fills or strokes one path, or draws one picture. So
there is no clipping, no transparency, no invisible text, no inline picture, no form and no layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from device.strict_pdf.syntax import Scanner, refused

Box: TypeAlias = tuple[float, float, float, float]
"""Left, bottom, right, top in points."""

PAGE: Box = (0.0, 0.0, 595.2756, 841.8898)
"""A4."""
MIN_SIZE, MAX_SIZE = 4.0, 40.0
"""Of type, in points."""
MAX_TEXT_GREY = 0.5
MAX_PICTURE = 86.0
"""Points: 30 mm, the place of the code."""
MAX_STROKE = 3.0
"""Points, once there is text on the page that a broader one could hide."""
MAX_BLOCKS = 20_000

_N = rb"-?\d{1,6}(?:\.\d{1,10})?"
_MATRIX = rb"(?P<matrix>" + rb" ".join([_N] * 6) + rb")"
_PATH = _N + rb" " + _N + rb" m(?:[ \n](?:" + _N + rb" " + _N + rb" [ml]|" + rb" ".join([_N] * 6) + rb" c|h))*"
_TEXT = (
    rb"/(?P<space>c\d+) cs (?P<grey>" + _N + rb") scn\nBT 0 Tr/(?P<font>f\d+) (?P<size>" + _N + rb") Tf 1 0 0 -1 0 0 Tm"
)
_FILL = rb"/(?P<fill_space>c\d+) cs (?P<fill>" + _N + rb") scn (?P<filled>" + _PATH + rb")\nf"
_STROKE = (
    rb"/(?P<stroke_space>c\d+) CS (?P<stroke>" + _N + rb") SCN (?P<width>" + _N + rb") w 4 M (?:[012] J )?(?:[012] j )?"
    rb"(?P<stroked>" + _PATH + rb")\nS"
)
_PICTURE = rb"/(?P<picture>x\d+) Do"
_BLOCK = re.compile(
    rb"q " + _MATRIX + rb" cm(?:" + _TEXT + rb"|(?:" + _FILL + rb"|" + _STROKE + rb"|" + _PICTURE + rb")\nQ)"
)
_KERNING = re.compile(rb" ?" + _N + rb" ?")
_PAIR = re.compile(rb"(" + _N + rb") (" + _N + rb")")
_ONE_GLYPH = re.compile(rb"\\[0-7]{3}|\\.")


@dataclass(frozen=True)
class Drawn:
    """What a page uses of its resources. pictures: as often as they are drawn."""

    fonts: frozenset[str]
    spaces: frozenset[str]
    pictures: tuple[str, ...]


def read_drawing(content: bytes) -> Drawn:
    """Raises NotOurPdf: ``drawing`` for what our press does not write, ``hidden`` for what does not lie open on the
    page: pale, tiny or outside, or under something that was drawn later.
    """
    page, scanner = _Page(), Scanner(content)
    while scanner.place < len(content):
        block = scanner.match(_BLOCK)
        if block is None or page.blocks >= MAX_BLOCKS:
            raise refused("drawing")
        shown = b"".join(_shown(scanner)) if block["font"] is not None else b""
        page.add(block, shown)
        if not scanner.take(b"\n") and scanner.place != len(content):
            raise refused("drawing")
    return Drawn(frozenset(page.fonts), frozenset(page.spaces), tuple(page.pictures))


def _shown(scanner: Scanner) -> Iterator[bytes]:
    """The strings of one run of text, to the end of its block. Raises NotOurPdf."""
    if scanner.take(b"["):
        while not scanner.take(b"]TJ"):
            text = scanner.string()
            if text is not None:
                yield text
            elif scanner.match(_KERNING) is None:
                raise refused("drawing")
    else:
        yield scanner.string() or b""
        if not scanner.take(b"Tj"):
            raise refused("drawing")
    if not scanner.take(b"\nET\nQ"):
        raise refused("drawing")


class _Page:
    def __init__(self) -> None:
        self.blocks = 0
        self.fonts: set[str] = set()
        self.spaces: set[str] = set()
        self.pictures: list[str] = []
        self._texts: list[tuple[float, float, float, bytes]] = []
        self._pictures: list[Box] = []

    def add(self, block: re.Match[bytes], shown: bytes) -> None:
        self.blocks += 1
        if block["font"] is not None:
            self._text(block, shown)
        elif block["filled"] is not None:
            self._fill(block)
        elif block["stroked"] is not None:
            self._stroke(block)
        else:
            self._picture(block)

    def _text(self, block: re.Match[bytes], shown: bytes) -> None:
        a, b, c, d, x, y = _numbers(block["matrix"])
        size = float(block["size"])
        plain = (a, b, c, d) == (1.0, 0.0, 0.0, -1.0) and MIN_SIZE <= size <= MAX_SIZE
        if not plain or not float(block["grey"]) <= MAX_TEXT_GREY or not _within((x, y, x, y + size * 0.7), PAGE):
            raise refused("hidden")
        if any(_touch((x, y, x + size, y + size * 0.7), picture) for picture in self._pictures):
            raise refused("hidden")
        self._texts.append((x, y, size, shown))
        self.fonts.add(block["font"].decode())
        self.spaces.add(block["space"].decode())

    def _fill(self, block: re.Match[bytes]) -> None:
        box = _bounds(_numbers(block["matrix"]), block["filled"])
        if self._covers(box):
            raise refused("hidden")
        self.spaces.add(block["fill_space"].decode())

    def _stroke(self, block: re.Match[bytes]) -> None:
        if self._texts and float(block["width"]) > MAX_STROKE:
            raise refused("hidden")
        self.spaces.add(block["stroke_space"].decode())

    def _picture(self, block: re.Match[bytes]) -> None:
        width, b, c, height, x, y = _numbers(block["matrix"])
        box = (x, y, x + width, y + height)
        upright = (b, c) == (0.0, 0.0) and 0 < width <= MAX_PICTURE and 0 < height <= MAX_PICTURE and _within(box, PAGE)
        if not upright or self._covers(box):
            raise refused("picture")
        self._pictures.append(box)
        self.pictures.append(block["picture"].decode())

    def _covers(self, box: Box) -> bool:
        """Whether something drawn earlier lies in ``box``."""
        left, bottom, right, top = box
        for x, y, size, shown in self._texts:
            if bottom - size * 0.7 < y < top and x < right and x + _glyphs(shown) * size > left:
                return True
        return any(_touch(box, picture) for picture in self._pictures)


def _glyphs(shown: bytes) -> float:
    """How many glyphs a run has, at two bytes each; in hexadecimal at most so many."""
    return len(_ONE_GLYPH.sub(b"x", shown)) / 2


def _numbers(text: bytes) -> list[float]:
    return [float(part) for part in text.split(b" ")]


def _bounds(matrix: list[float], path: bytes) -> Box:
    a, b, c, d, e, f = matrix
    points = [(float(m[1]), float(m[2])) for m in _PAIR.finditer(path)]
    across = [a * x + c * y + e for x, y in points]
    up = [b * x + d * y + f for x, y in points]
    return min(across), min(up), max(across), max(up)


def _within(inner: Box, outer: Box) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
