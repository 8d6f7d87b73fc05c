"""A page brings the glyphs that it shows, in every language, and none is missing in silence."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest

from captive_portal.portal.languages import LANGUAGES, read_catalogues
from device.font_faces import Shown, font_faces
from device.fonts import FontMissing, GlyphMissing, fonts_of, shares
from device.printer.font_coverage import coverage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs("bizud", "noto")
WORDS = read_catalogues()


def drawn(rules: str) -> dict[str, set[int]]:
    """What the fonts in the style sheet really hold, by family and weight."""
    found: dict[str, set[int]] = {}
    for look, font in re.findall(r"{ (font-family.*?); src: url\(data:font/\w+;base64,([^)]*)\)", rules):
        found.setdefault(look, set()).update(coverage(base64.b64decode(font)))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_character_that_is_shown_is_brought(language: str) -> None:
    text = "".join(WORDS[language].plain(key, minutes=60, day="2026-11-30") for key in ("sheet_use", "sheet_until"))
    found = drawn(font_faces(language, [Shown(text), Shown(text, bold=True), Shown("ABC-234", bold=True, fixed=True)]))
    assert len(found) == 3
    assert {ord(character) for character in text} <= found['font-family: "Hiroba"; font-weight: 400']
    assert {ord(character) for character in "ABC-234"} <= found['font-family: "Hiroba Fixed"; font-weight: 700']


def test_nothing_is_brought_that_is_not_shown() -> None:
    (held,) = drawn(font_faces("ja", [Shown("広場")])).values()
    assert held == {ord("広"), ord("場")}


def test_a_character_that_no_font_has_is_told() -> None:
    with pytest.raises(GlyphMissing) as caught:
        font_faces("ja", [Shown("広場\U0001f389")])
    assert caught.value.facts == {"character": "U+1F389"}


def test_a_font_that_is_not_installed_is_told(tmp_path: Path) -> None:
    with pytest.raises(FontMissing):
        font_faces("ja", [Shown("広場")], tmp_path)


def test_the_first_font_that_has_a_character_draws_it() -> None:
    assert shares("aba漢", [frozenset(b"a"), frozenset(b"ab"), frozenset([ord("漢")])]) == ["a", "b", "漢"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_font_of_every_language_is_a_file_of_a_package(language: str) -> None:
    fonts = {
        font for bold in (False, True) for fixed in (False, True) for font in fonts_of(language, bold=bold, fixed=fixed)
    }
    assert [font for font in fonts if not font.path().exists()] == []
