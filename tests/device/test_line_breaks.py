"""Where lines break: JIS X 4051 and JLReq, and words of other scripts stay whole."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.line_breaks import NOT_FIRST, NOT_LAST, clusters, may_break, pieces

TEXT = st.text(
    alphabet="摂津市辻\U000e0102邉\U000e0110𠮷か\u3099　 AaỮữ\u0301नेपाल한국'(),.、。「」（）ー〜ァｱ…—％円￥0９",
    max_size=60,
)


@given(TEXT)
def test_pieces_and_clusters_together_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert "".join(clusters(text)) == text


@given(TEXT)
def test_no_piece_begins_or_ends_with_what_no_line_does(text: str) -> None:
    runs = list(pieces(text))
    after_a_word = [run for before, run in pairwise(runs) if not before.endswith(" ")]
    assert [run for run in after_a_word if run[0] in NOT_FIRST] == []
    assert [run for run in runs[:-1] if run[-1] in NOT_LAST] == []


@given(TEXT)
def test_a_character_and_its_marks_are_never_parted(text: str) -> None:
    for runs in (list(pieces(text)), list(clusters(text))):
        assert [run for run in runs[1:] if run[0] in "\U000e0102\U000e0110\u3099\u0301\u0947\u093e"] == []


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("手数料は、300円です。", ["手", "数", "料", "は、", "300円", "で", "す。"]),
        ("令和8年11月30日", ["令", "和", "8年", "11月", "30日"]),
        ("国民年金の日程", ["国", "民", "年", "金", "の", "日", "程"]),  # a counter only behind a figure
        ("￥500の＃印", ["￥500", "の", "＃", "印"]),  # a sign only before a figure
        ("気温は25℃、湿度60％", ["気", "温", "は", "25℃、", "湿", "度", "60％"]),
        ("「市役所」（本館）へ", ["「市", "役", "所」", "（本", "館）", "へ"]),
        ("リバーサイド・ヴィラ", ["リ", "バー", "サ", "イ", "ド・", "ヴィ", "ラ"]),
        ("佐々木、辻\U000e0102ヶ丘", ["佐々", "木、", "辻\U000e0102ヶ", "丘"]),
        ("待って……はい——", ["待っ", "て", "……", "は", "い", "——"]),
        ("ﾊﾞｽ｡ｶｯﾀｰ", ["ﾊﾞ", "ｽ｡", "ｶｯ", "ﾀｰ"]),
        ("Wi-Fiを使う(30分)", ["Wi-Fi", "を", "使", "う", "(30分)"]),
        ("O’Neill O'Neill", ["O’Neill ", "O'Neill"]),
        ("Nguyễn Thị Hữu", ["Nguyễn ", "Thị ", "Hữu"]),
        ("Nguye\u0302\u0303n Thi\u0323", ["Nguye\u0302\u0303n ", "Thi\u0323"]),
        ("페이지에 입력하세요.", ["페이지에 ", "입력하세요."]),
        ("निःशुल्क Wi-Fi", ["निःशुल्क ", "Wi-Fi"]),
        ("免费，上网。", ["免", "费，", "上", "网。"]),
        ("10\u00a0km先", ["10\u00a0km", "先"]),
    ],
)
def test_runs_that_a_line_does_not_part(text: str, runs: list[str]) -> None:
    assert list(pieces(text)) == runs


@pytest.mark.parametrize("small", "ぁっゃゎゕァッャヮヵヶㇰｧｯ")
def test_no_line_begins_with_a_small_kana(small: str) -> None:
    assert not may_break("か", small)


@pytest.mark.parametrize("counter", "円年月日％")
@pytest.mark.parametrize("figure", "0９")
def test_a_counter_stays_with_its_figure_and_else_may_begin_a_line(counter: str, figure: str) -> None:
    assert not may_break(figure, counter)
    assert may_break("市", counter)
