"""Whether IPAmj Mincho can draw a text exactly as written; the only importer of uharfbuzz.

A character or variation sequence the font lacks is never replaced: the certificate is refused (N12).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import uharfbuzz

from kiosk.issuer.errors import FontMissing

FONT_FILE = "ipamjm.ttf"
FONT_FAMILY = "IPAmjMincho"
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


class GlyphCheck:
    """One font, opened once. Reading it is safe from several threads."""

    def __init__(self, font: Path) -> None:
        self._font = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(font))))
        self._known: dict[str, bool] = {}
        self._wide: dict[str, float] = {}

    def missing(self, texts: Iterable[str]) -> set[str]:
        """The clusters of ``texts`` that the font cannot draw."""
        found: set[str] = set()
        for text in texts:
            characters = set(text)
            found |= characters if not any(map(joins, characters)) else set(clusters(text))
        return {cluster for cluster in found if not self._draws(cluster)}

    def width(self, text: str) -> float:
        """How wide ``text`` is drawn, in em; selectors and kerning, which take nothing or less, do not count."""
        return sum([self._wide.get(character) or self._advance(character) for character in text])

    def _advance(self, character: str) -> float:
        glyph = self._font.get_nominal_glyph(ord(character)) or 0
        wide = 0.0 if is_selector(character) else self._font.get_glyph_h_advance(glyph) / self._font.face.upem
        self._wide[character] = wide
        return wide

    def _draws(self, cluster: str) -> bool:
        if cluster not in self._known:
            self._known[cluster] = self._look(cluster)
        return self._known[cluster]

    def _look(self, cluster: str) -> bool:
        if len(cluster) == 1:
            return bool(self._font.get_nominal_glyph(ord(cluster)))
        if len(cluster) == 2 and is_selector(cluster[1]):
            return bool(self._font.get_variation_glyph(ord(cluster[0]), ord(cluster[1])))
        return False  # combining marks would be stacked by guess


def find_font(folders: Sequence[str]) -> Path:
    """IPAmj Mincho in one of ``folders`` or below. Raises FontMissing."""
    for folder in folders:
        for found in sorted(Path(folder).rglob(FONT_FILE)):
            return found
    raise FontMissing(font=FONT_FILE, folders=",".join(folders))


def is_selector(character: str) -> bool:
    """Whether it is a variation selector."""
    return any(ord(character) in block for block in _SELECTORS)


@lru_cache(maxsize=4096)  # single characters: nobody's name can be read from it
def joins(character: str) -> bool:
    """Whether it belongs to the character before it: a selector or a combining mark."""
    return is_selector(character) or unicodedata.combining(character) != 0


def clusters(text: str) -> list[str]:
    """Characters with the selectors and combining marks that follow them."""
    found: list[str] = []
    for character in text:
        if joins(character) and found:
            found[-1] += character
        else:
            found.append(character)
    return found
