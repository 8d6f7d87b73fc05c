"""One face of an OpenType font: which characters it has, how wide they are, a subset of it. The only importer of
uharfbuzz.
"""

from __future__ import annotations

from pathlib import Path

import uharfbuzz


class OpenTypeFace:
    """A face of the font file ``path``, opened once; reading it is safe from several threads. face: its number in a
    collection.
    """

    def __init__(self, path: Path, face: int = 0) -> None:
        self._face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)), face)
        self._font = uharfbuzz.Font(self._face)

    @property
    def code_points(self) -> frozenset[int]:
        """Those that it has a glyph for."""
        return frozenset(self._face.unicodes)

    def has_glyph(self, character: str, selector: str = "") -> bool:
        """Whether it has a glyph for one character, or for its variation by ``selector``."""
        if selector:
            return bool(self._font.get_variation_glyph(ord(character), ord(selector)))
        return bool(self._font.get_nominal_glyph(ord(character)))

    def advance(self, character: str) -> float:
        """The width of one character, in em; of one without a glyph, that of the replacement glyph."""
        glyph = self._font.get_nominal_glyph(ord(character)) or 0
        return float(self._font.get_glyph_h_advance(glyph) / self._face.upem)

    def subset(self, characters: str) -> bytes:
        """A font file with the glyphs that ``characters`` need, their ligatures and conjuncts included."""
        wanted = uharfbuzz.SubsetInput()
        wanted.unicode_set.update(ord(character) for character in characters)
        return bytes(uharfbuzz.subset(self._face, wanted).blob.data)
