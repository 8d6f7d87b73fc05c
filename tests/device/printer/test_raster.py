"""The receipt as dots."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from device.fonts import FontMissing, GlyphMissing
from device.printer.font_coverage import coverage
from device.printer.picture import png_of_bits
from device.printer.raster import REGULAR, ReceiptRenderer
from device.printer.status import ReceiptLine, ReceiptQr, ReceiptRule
from tests.device.printer.samples import QR, SAMPLE

pytestmark = pytest.mark.needs("bizud")


@pytest.fixture(scope="module")
def renderer() -> ReceiptRenderer:
    return ReceiptRenderer()


def test_the_qr_code_reads_back_from_the_dots(renderer: ReceiptRenderer) -> None:
    drawn = renderer.render(SAMPLE)
    picture = Image.open(io.BytesIO(png_of_bits(drawn.bits, drawn.width, drawn.height))).convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [QR]


def test_a_long_code_still_fits_the_paper() -> None:
    drawn = ReceiptRenderer(384).render((ReceiptQr("x" * 600),))
    picture = Image.open(io.BytesIO(png_of_bits(drawn.bits, drawn.width, drawn.height))).convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == ["x" * 600]


def test_a_rule_is_black_over_the_whole_width(renderer: ReceiptRenderer) -> None:
    drawn = renderer.render((ReceiptRule(),))
    rows = [drawn.bits[i : i + 72] for i in range(0, len(drawn.bits), 72)]
    assert rows.count(b"\xff" * 72) == 2
    assert rows.count(b"\0" * 72) == drawn.height - 2


def test_bold_has_more_ink_and_double_size_more_height(renderer: ReceiptRenderer) -> None:
    plain, bold, double = (
        renderer.render((ReceiptLine("領収書", bold=b, size=s),)) for b, s in ((False, 1), (True, 1), (False, 2))
    )
    assert sum(map(int.bit_count, bold.bits)) > sum(map(int.bit_count, plain.bits))
    assert double.height > plain.height


@pytest.mark.parametrize("text", ["𠮷野", "辻\U000e0102", "a\tb", "\U0010fffd"])
def test_a_character_without_a_glyph_is_refused_not_replaced(renderer: ReceiptRenderer, text: str) -> None:
    with pytest.raises(GlyphMissing):
        renderer.render((ReceiptLine(text),))


def test_no_font_at_all_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(FontMissing):
        ReceiptRenderer(regular=[tmp_path / "none.ttf"])


def test_the_first_font_that_exists_is_taken(tmp_path: Path) -> None:
    assert ReceiptRenderer(regular=[tmp_path / "none.ttf", *REGULAR]).render(SAMPLE).width == 576


@pytest.mark.needs("noto")
@pytest.mark.parametrize(
    ("language", "word"), [("zh-Hans", "设备"), ("zh-Hant", "啟"), ("ko", "기기"), ("vi", "Phiếu"), ("ne", "भौचर")]
)
def test_a_line_is_drawn_by_the_fonts_of_its_language(renderer: ReceiptRenderer, language: str, word: str) -> None:
    line = ReceiptLine(f"{word} 広場", right="R8", language=language)
    assert sum(map(int.bit_count, renderer.render((line,)).bits)) > 500
    with pytest.raises(GlyphMissing):
        renderer.render((ReceiptLine(word),))


@pytest.mark.needs("noto")
def test_the_same_character_has_the_shape_of_its_language(renderer: ReceiptRenderer) -> None:
    languages = ("ja", "zh-Hans", "zh-Hant", "ko")
    assert len({renderer.render((ReceiptLine("骨", language=language),)).bits for language in languages}) == 4


@pytest.mark.needs("noto")
def test_letters_of_devanagari_are_joined_and_change_places(renderer: ReceiptRenderer) -> None:
    """The sign for i stands before its letter, and a conjunct is narrower than its letters (Unicode §12.1)."""
    wide = {text: renderer.text_width(text, 1, False, "ne") for text in ("क", "क्ष", "क ष")}
    assert wide["क्ष"] < wide["क ष"]
    ink = {text: renderer.render((ReceiptLine(text, language="ne"),)).bits for text in ("कि", "की")}
    assert ink["कि"] != ink["की"]


def test_coverage_knows_kana_and_kanji_and_not_what_the_font_lacks() -> None:
    has = coverage(REGULAR[0].read_bytes())
    assert {ord(c) for c in "あ漢髙¥A1①"} <= has
    assert 0xE0102 not in has


@pytest.mark.parametrize("junk", [b"", b"\0" * 40, b"true" + b"\xff" * 60])
def test_bytes_that_are_no_font_are_a_value_error(junk: bytes) -> None:
    with pytest.raises(ValueError, match=r"table|font"):
        coverage(junk)
