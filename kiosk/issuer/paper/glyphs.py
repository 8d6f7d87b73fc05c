"""Whether IPAmj Mincho can draw a text exactly as written.

A character or variation sequence the font lacks is never replaced: the certificate is refused (N12).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from device.line_breaks import clusters, joins
from device.opentype import OpenTypeFace
from kiosk.issuer.errors import FontMissing

FONT_FILE = "ipamjm.ttf"
FONT_FAMILY = "IPAmjMincho"
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


class GlyphCheck:
    """One font, opened once. Reading it is safe from several threads."""

    def __init__(self, font: Path) -> None:
        self._face = OpenTypeFace(font)
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
        wide = 0.0 if is_selector(character) else self._face.advance(character)
        self._wide[character] = wide
        return wide

    def _draws(self, cluster: str) -> bool:
        if cluster not in self._known:
            self._known[cluster] = self._look(cluster)
        return self._known[cluster]

    def _look(self, cluster: str) -> bool:
        if len(cluster) == 1:
            return self._face.has_glyph(cluster)
        if len(cluster) == 2 and is_selector(cluster[1]):
            return self._face.has_glyph(cluster[0], cluster[1])
        return False  # the position of combining marks would be a guess


def find_font(folders: Sequence[str]) -> Path:
    """IPAmj Mincho in one of ``folders`` or below. Raises FontMissing."""
    for folder in folders:
        for found in sorted(Path(folder).rglob(FONT_FILE)):
            return found
    raise FontMissing(font=FONT_FILE, folders=",".join(folders))


def is_selector(character: str) -> bool:
    """Whether it is a variation selector."""
    return any(ord(character) in block for block in _SELECTORS)
