"""QR codes: what is drawn can be read, with its quiet zone, at the level that is asked for."""

from __future__ import annotations

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from device.printer.picture import Picture
from device.qr import QUIET, modules, png_of, texts_in

ADDRESS = "https://example.jp/verify?n=R8-000001-4"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=60)


def picture(text: str) -> bytes:
    rows = list(modules(text))
    drawn = Picture(4 * len(rows), 4 * len(rows))
    drawn.grid(0, 0, rows, 4)
    return drawn.png()


@given(TEXT)
@settings(deadline=None)
def test_what_is_drawn_is_read_again(text: str) -> None:
    assert texts_in(picture(text)) == [text]


def test_the_quiet_zone_is_white_and_four_modules_wide() -> None:
    rows = modules(ADDRESS)
    assert {len(row) for row in rows} == {len(rows)}
    assert not any(byte for row in rows[:QUIET] + rows[-QUIET:] for byte in row)
    assert not any(byte for row in rows for byte in row[:QUIET] + row[-QUIET:])
    assert rows[QUIET][QUIET : QUIET + 8] == b"\1\1\1\1\1\1\1\0"  # the corner's finder pattern


def test_the_level_is_m() -> None:
    made = zxingcpp.create_barcode(ADDRESS, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    assert made.ec_level == "M"
    assert len(modules(ADDRESS)) == memoryview(made.to_image(add_quiet_zones=False)).shape[0] + 2 * QUIET  # type: ignore[arg-type,index,unused-ignore]


def test_the_picture_of_a_page_is_one_pixel_a_module() -> None:
    header = png_of(ADDRESS)[16:24]
    side = len(modules(ADDRESS)) - 2 * QUIET
    assert header == side.to_bytes(4) * 2


def test_a_text_that_no_code_holds_is_an_error() -> None:
    with pytest.raises(ValueError, match="too long"):
        modules("x" * 3000)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_has_no_codes(content: bytes) -> None:
    assert texts_in(content) == []
