"""The receipt's layout: rows, right edges, line breaks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.line_breaks import NOT_FIRST, NOT_LAST
from device.printer.receipt import CELL, LEADING, PlacedCode, PlacedRule, PlacedText, layout, wrap
from device.printer.status import ReceiptLine, ReceiptQr, ReceiptRule

WIDTH = 576


class Cells:
    """Half a cell for ASCII, a whole one for all else; a code is 100 dots."""

    def text_width(self, text: str, size: int, bold: bool, language: str = "ja") -> int:  # noqa: ARG002 - the port's own names
        return size * sum(CELL // 2 if c.isascii() else CELL for c in text)

    def code_side(self, text: str) -> int:  # noqa: ARG002
        return 100


def wide(text: str) -> int:
    return Cells().text_width(text, 1, False)


def texts(*lines: ReceiptLine) -> list[PlacedText]:
    return [p for p in layout(lines, WIDTH, Cells()).placed if isinstance(p, PlacedText)]


def test_left_and_right_share_a_row_when_both_fit() -> None:
    left, right = texts(ReceiptLine("手数料", right="300円"))
    assert left.y == right.y
    assert left.x == 0
    assert right.x + wide("300円") == WIDTH


def test_a_right_text_that_does_not_fit_gets_its_own_row() -> None:
    left, right = texts(ReceiptLine("あ" * 24, right="300円"))
    assert right.y == left.y + CELL + LEADING
    assert right.x + wide("300円") == WIDTH


def test_a_right_text_stands_beside_the_last_row_of_a_long_left_one() -> None:
    first, second, right = texts(ReceiptLine("あ" * 30, right="1通"))
    assert (first.text, second.text) == ("あ" * 24, "あ" * 6)
    assert right.y == second.y


def test_a_right_text_alone_takes_one_row() -> None:
    page = layout((ReceiptLine("", right="1通"), ReceiptLine("次")), WIDTH, Cells())
    assert [p.y for p in page.placed] == [LEADING, LEADING + CELL + LEADING]


def test_centred_text_leaves_the_same_white_on_both_sides() -> None:
    (row,) = texts(ReceiptLine("ひろば市", size=2, align="center"))
    assert row.x == (WIDTH - 4 * 2 * CELL) // 2


def test_rule_and_code_stand_in_order_within_the_page() -> None:
    page = layout((ReceiptRule(), ReceiptQr("x"), ReceiptLine("終")), WIDTH, Cells())
    rule, code, line = page.placed
    assert isinstance(rule, PlacedRule)
    assert isinstance(code, PlacedCode)
    assert isinstance(line, PlacedText)
    assert rule.y < code.y
    assert code.y + 100 <= line.y
    assert line.y + CELL <= page.height


def test_a_closing_mark_does_not_begin_a_row() -> None:
    assert wrap("あ" * 24 + "。い", WIDTH, wide) == ["あ" * 23, "あ。い"]


def test_a_figure_stays_whole_with_its_unit() -> None:
    assert wrap("あ" * 22 + "300円", WIDTH, wide) == ["あ" * 22, "300円"]


def test_a_vietnamese_word_stays_whole() -> None:
    assert wrap("a" * 40 + " thường trú", WIDTH, wide) == ["a" * 40, "thường trú"]


def test_a_word_that_is_also_a_counter_may_begin_a_row() -> None:
    assert wrap("あ" * 24 + "年金", WIDTH, wide) == ["あ" * 24, "年金"]


def test_a_word_wider_than_the_paper_is_parted() -> None:
    assert [len(r) for r in wrap("x" * 100, WIDTH, wide)] == [48, 48, 4]


SENTENCE = st.text(st.sampled_from("あ漢、。」「（）aB1 ー"), max_size=120)


@given(SENTENCE, st.integers(5 * CELL, WIDTH))
def test_wrapping_loses_nothing_but_spaces_and_never_overflows(text: str, width: int) -> None:
    rows = wrap(text, width, wide)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")
    assert all(wide(row) <= width for row in rows)


@given(st.lists(st.sampled_from(["漢", "字", "です。", "「か", "な」", "（１）"]), max_size=60))
def test_rows_keep_the_rules_of_japanese_setting(words: list[str]) -> None:
    rows = wrap("".join(words), WIDTH, wide)
    assert not any(row[0] in NOT_FIRST for row in rows[1:])
    assert not any(row[-1] in NOT_LAST for row in rows[:-1])
