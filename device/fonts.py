"""The fonts of papers, by language: files of Debian packages (provisioning/packages.txt), in the order they are asked.

BIZ UDGothic (Morisawa; universal design, made for official papers) draws Japanese and English. Noto Sans CJK draws
Chinese in its two scripts, each with its own shapes, Korean and Vietnamese; Noto Sans Devanagari UI draws Nepali.
All are under the OFL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from device.errors import PrinterError

FOLDER = Path("/usr/share/fonts")


class FontFile(NamedTuple):
    """A file below FOLDER, and the number of the face in it (of a collection). shaped: see device.printer.picture."""

    file: str
    face: int = 0
    shaped: bool = False

    def path(self, folder: Path = FOLDER) -> Path:
        """Where it lies."""
        return folder / self.file


class GlyphMissing(PrinterError):
    """No font of a paper has a glyph for a character; nothing is replaced silently (N12). facts: character."""

    code = "printer.glyph_missing"


class FontMissing(PrinterError):
    """A font file is not there. facts: files."""

    code = "printer.font_missing"


class Typeface(NamedTuple):
    """One weight of a language's fonts."""

    regular: FontFile
    bold: FontFile


_BIZ = Typeface(
    FontFile("truetype/bizud-gothic/BIZUDPGothic-Regular.ttf"), FontFile("truetype/bizud-gothic/BIZUDPGothic-Bold.ttf")
)
_BIZ_FIXED = Typeface(
    FontFile("truetype/bizud-gothic/BIZUDGothic-Regular.ttf"), FontFile("truetype/bizud-gothic/BIZUDGothic-Bold.ttf")
)
_DEVANAGARI = Typeface(
    FontFile("truetype/noto/NotoSansDevanagariUI-Regular.ttf", shaped=True),
    FontFile("truetype/noto/NotoSansDevanagariUI-Bold.ttf", shaped=True),
)


def _noto(face: int) -> Typeface:
    return Typeface(
        FontFile("opentype/noto/NotoSansCJK-Regular.ttc", face), FontFile("opentype/noto/NotoSansCJK-Bold.ttc", face)
    )


_JAPANESE, _KOREAN, _SIMPLIFIED, _TRADITIONAL = (_noto(face) for face in range(4))
_FIRST = {"zh-Hans": _SIMPLIFIED, "zh-Hant": _TRADITIONAL, "ko": _KOREAN, "vi": _JAPANESE, "ne": _DEVANAGARI}
"""What draws a language before the Japanese font does."""
_ON_SHEETS = {**_FIRST, "en": _JAPANESE}
"""The same on sheets, where English lines are short of room: the Latin letters of BIZ UDPGothic are wide."""
_OTHERS = (_JAPANESE, _DEVANAGARI)


def fonts_of(language: str, *, bold: bool = False, fixed: bool = False) -> tuple[FontFile, ...]:
    """The fonts for words of ``language`` on a sheet, first choice first, then the others, for a name in other letters.
    fixed: for a code, whose characters should all be as wide as each other.
    """
    first = _weight([_BIZ_FIXED] if fixed else [], bold=bold)
    others = _weight([_BIZ, *_OTHERS], bold=bold)
    return tuple(dict.fromkeys((*first, *_of(language, _ON_SHEETS, bold=bold), *others)))


def own_fonts(language: str, *, bold: bool) -> tuple[FontFile, ...]:
    """What draws ``language`` before the Japanese font does; nothing for Japanese and English."""
    return _of(language, _FIRST, bold=bold)


def _of(language: str, table: Mapping[str, Typeface], *, bold: bool) -> tuple[FontFile, ...]:
    return _weight([table[language]] if language in table else [], bold=bold)


def _weight(typefaces: Iterable[Typeface], *, bold: bool) -> tuple[FontFile, ...]:
    return tuple(face.bold if bold else face.regular for face in typefaces)


def shares(characters: Sequence[str], covers: Sequence[frozenset[int]]) -> list[str]:
    """Which of ``characters`` each font draws: the first that covers it. covers: code points by font. Raises
    GlyphMissing.
    """
    found = ["" for _ in covers]
    for character in dict.fromkeys(characters):
        place = next((place for place, has in enumerate(covers) if ord(character) in has), None)
        if place is None:
            raise GlyphMissing(character=f"U+{ord(character):04X}")
        found[place] += character
    return found
