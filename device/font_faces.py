"""Fonts inside a page: an HTML paper brings the glyphs that it shows, and looks alike on any computer that prints it.

Subsets of the fonts of device.fonts, as data: URLs of a style sheet; 50 to 120 KiB a paper.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from device.fonts import FOLDER, FontFile, FontMissing, fonts_of, shares
from device.opentype import OpenTypeFace

FAMILY, FIXED_FAMILY = "Hiroba", "Hiroba Fixed"
"""Names of the families in the style sheet: words, and codes."""


class Shown(NamedTuple):
    """Text of a page in one look. fixed: in FIXED_FAMILY."""

    text: str
    bold: bool = False
    fixed: bool = False


def font_faces(language: str, shown: Iterable[Shown], folder: Path = FOLDER) -> str:
    """``@font-face`` rules with every glyph of ``shown``. Raises GlyphMissing and FontMissing."""
    texts: dict[tuple[bool, bool], str] = {}
    for bold, fixed, text in ((one.bold, one.fixed, one.text) for one in shown):
        texts[bold, fixed] = texts.get((bold, fixed), "") + text
    rules = [
        rule
        for (bold, fixed), text in sorted(texts.items())
        for rule in _rules(fonts_of(language, bold=bold, fixed=fixed), text, _look(bold, fixed), folder)
    ]
    return "\n".join(rules)


def _look(bold: bool, fixed: bool) -> str:
    return f'font-family: "{FIXED_FAMILY if fixed else FAMILY}"; font-weight: {700 if bold else 400}'


def _rules(fonts: tuple[FontFile, ...], text: str, look: str, folder: Path) -> list[str]:
    faces = [_face(font, folder) for font in fonts]
    shared = shares("".join(text.split("\n")), [face.code_points for face in faces])
    return [
        f"@font-face {{ {look}; src: url(data:font/{_kind(cut)};base64,{base64.b64encode(cut).decode()});"
        f" unicode-range: {','.join(f'U+{ord(character):X}' for character in characters)} }}"
        for face, characters in zip(faces, shared, strict=True)
        if characters
        for cut in [face.subset(characters)]
    ]


def _face(font: FontFile, folder: Path) -> OpenTypeFace:
    path = font.path(folder)
    if not path.exists():
        raise FontMissing(files=str(path))
    return OpenTypeFace(path, font.face)


def _kind(font: bytes) -> str:
    return "otf" if font[:4] == b"OTTO" else "ttf"
