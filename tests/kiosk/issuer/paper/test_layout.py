"""The plan of a paper: lines that fit, rows that hold them, pages that are what the press makes of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.clock import JST
from device.printer.pdf_drawing import page_texts
from kiosk.issuer.errors import PaperOverrun
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.paper.composition import compose
from kiosk.issuer.paper.layout import broken, plan
from kiosk.issuer.paper.sheet import Block, Item, Sheet

if TYPE_CHECKING:
    from kiosk.issuer.paper.glyphs import GlyphCheck
    from kiosk.issuer.paper.layout import PagePlan
    from kiosk.issuer.paper.typst_renderer import TypstRenderer

AT = datetime(2026, 11, 23, 12, 0, tzinfo=JST)
LAYOUT = KINDS["residence_record"].layout
WORDS = st.text(alphabet="摂津市辻\U000e0102𠮷髙　 AaWi09-'()、。ーァｱ", max_size=120)


def _em(text: str) -> float:
    """Every character as wide as any can be."""
    return float(len(text))


def _sheet(addresses: list[str], heading: str = "大阪府摂津市") -> Sheet:
    blocks = [
        Block(
            label="氏名",
            kana="ツジ",
            name="辻 見本",
            rows=[[Item("生年月日", "平成元年1月8日"), Item("続柄", "子")], [Item("前住所", a)]],
        )
        for a in addresses
    ]
    return Sheet(
        title="住民票の写し",
        continued="住民票の写し（続き）",
        heading=[Item("住所", heading)],
        blocks=blocks,
        end="以下余白",
        sentence="証明する。",
        date="令和8年11月23日",
        authority="見本市長",
        number_label="発行番号",
        number="R8-000001-4",
    )


@given(WORDS, st.floats(2, 40))
def test_lines_together_are_the_text_and_none_is_too_wide(text: str, width: float) -> None:
    lines = broken(text, width, _em)
    assert "".join(lines) == text
    assert all(_em(line) <= width for line in lines)


@given(st.lists(st.sampled_from(["NGUYEN", "THI", "Minh", "O'Neill"]), min_size=1, max_size=12))
def test_a_latin_word_that_fits_a_line_is_never_broken(words: list[str]) -> None:
    lines = broken(" ".join(words), 10, _em)
    assert " ".join(words).split() == [word for line in lines for word in line.split()]


@given(st.text(alphabet="辻\U000e0102ーAb ", max_size=60).map(lambda text: "辻" + text), st.floats(3, 12))
def test_a_character_and_its_selector_are_never_parted(text: str, width: float) -> None:
    assert not [line for line in broken(text, width, _em) if line.startswith("\U000e0102")]


def test_a_long_vowel_does_not_begin_a_line() -> None:
    assert broken("摂津リバーサイド", 4, _em) == ["摂津リ", "バーサイ", "ド"]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12))
def test_every_member_stands_on_one_page_in_order(lengths: list[int]) -> None:
    sheet = _sheet(["東" * length for length in lengths])
    pages = plan(sheet, _em)
    assert pages
    placed = ["".join(rows[-1].cells[0].lines) for page in pages for rows in page.blocks]
    assert placed == ["東" * length for length in lengths]
    assert [page.first for page in pages] == [True] + [False] * (len(pages) - 1)
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]


@pytest.mark.parametrize("sheet", [_sheet(["東" * 3000]), _sheet(["東"], heading="東" * 3000)])
def test_what_no_page_can_hold_has_no_plan(sheet: Sheet) -> None:
    assert plan(sheet, _em) is None


@given(st.lists(WORDS, min_size=1, max_size=9), WORDS)
@settings(max_examples=25, deadline=None)
def test_the_press_makes_the_pages_that_were_planned(
    renderer: TypstRenderer, glyphs: GlyphCheck, values: list[str], heading: str
) -> None:
    sheet = _sheet(values, heading)
    pages = plan(sheet, glyphs.width)
    assert pages
    texts = page_texts(
        renderer.render(LAYOUT, compose(sheet, pages, 1, "request", "binding"), AT)
    )  # or it raises PaperOverrun
    assert [text.count("前住所") for text in texts] == [len(page.blocks) for page in pages]


def test_a_line_of_the_plan_is_a_line_on_the_paper(renderer: TypstRenderer, glyphs: GlyphCheck) -> None:
    sheet = _sheet(["MWmw" * 30 + "東、「京」。" * 30])
    pages = plan(sheet, glyphs.width)
    assert pages
    lines = pages[0].blocks[0][-1].cells[0].lines
    (text,) = page_texts(renderer.render(LAYOUT, compose(sheet, pages, 1, "request", "binding"), AT))
    assert len(lines) > 5
    assert set(lines) <= set(text.replace("前住所", "").splitlines())


def test_a_paper_that_takes_other_pages_than_planned_is_not_given_out(
    renderer: TypstRenderer, glyphs: GlyphCheck
) -> None:
    pages = plan(_sheet(["東"] * 5), glyphs.width)
    assert pages
    crowded: list[PagePlan] = [
        type(pages[0])(first=True, last=True, heading=pages[0].heading, blocks=pages[0].blocks * 4)
    ]
    with pytest.raises(PaperOverrun):
        renderer.render(LAYOUT, compose(_sheet(["東"]), crowded, 1, "request", "binding"), AT)


def test_the_widths_are_those_of_the_font(glyphs: GlyphCheck) -> None:
    assert glyphs.width("辻\U000e0102") == glyphs.width("東") == 1.0
    assert 0 < glyphs.width("i") < glyphs.width("W") < 1
