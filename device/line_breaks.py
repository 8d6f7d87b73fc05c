"""Where a line of text may be broken: the rules of Japanese setting (kinsoku); words of other scripts stay whole. Pure.

Sources: JIS X 4051:2004 (行頭禁則, 行末禁則, 分割禁止) and W3C JLReq, whose character classes (cl-01 …) name the sets
here; UAX #14 for what joins (GL, WJ, ZWJ, CM). Marks in half width and in ASCII are treated as their full-width ones.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

OPENING = frozenset("「『（〔［｛〈《【〖｟〘“‘«([{｢")
"""cl-01: a line does not end with one."""
CLOSING = frozenset("」』）〕］｝〉》】〗｠〙”’»)]}｣")
"""cl-02."""
_HYPHENS = frozenset("‐–〜～゠")  # cl-03
_DIVIDING = frozenset("！？‼⁇⁈⁉!?")  # cl-04
_MIDDLE_DOTS = frozenset("・：；:;･")  # cl-05
_FULL_STOPS = frozenset("。．.｡")  # cl-06
_COMMAS = frozenset("、，,､")  # cl-07
_ITERATION_MARKS = frozenset("々〻ゝゞヽヾ")  # cl-09
_PROLONGED_SOUND_MARKS = frozenset("ーｰﾞﾟ")  # cl-10, and the voicing marks of half-width kana
_SMALL_KANA = frozenset(  # cl-11
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿｧｨｩｪｫｬｭｮｯ"
)
NOT_FIRST = (
    CLOSING
    | _HYPHENS
    | _DIVIDING
    | _MIDDLE_DOTS
    | _FULL_STOPS
    | _COMMAS
    | _ITERATION_MARKS
    | _PROLONGED_SOUND_MARKS
    | _SMALL_KANA
)
"""A line does not begin with one (JLReq §3.1.7)."""
NOT_LAST = OPENING
"""A line does not end with one (JLReq §3.1.8)."""
_INSEPARABLE = frozenset("—―…‥〳〴〵")  # cl-08: two of a kind are not parted
_PREFIXES = frozenset("￥¥＄$￡£＃#€№")  # cl-12: stays with the figure behind it
_POSTFIXES = frozenset("％%‰°′″℃￠¢㎡円年月日時分秒通枚人歳番号条項")
"""cl-13, and the counters of Hiroba's papers: each stays with the figure before it. Else it is a character like others:
年金 may begin a line."""
_JOINERS = frozenset("\u00a0\u2060\u200d\u200c\u202f\ufeff")


def pieces(text: str) -> Iterator[str]:
    """``text`` in the runs that a line does not part while they fit; a run's spaces stand at its end. Together they are
    ``text``.
    """
    run = ""
    for character in text:
        if run and may_break(run[-1], character):
            yield run
            run = ""
        run += character
    if run:
        yield run


def clusters(text: str) -> Iterator[str]:
    """Characters with the marks and variation selectors that follow them: never parted, however narrow the line."""
    cluster = ""
    for character in text:
        if cluster and not joins(character):
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


@lru_cache(maxsize=4096)  # pairs of characters: no text can be read from it
def may_break(before: str, after: str) -> bool:
    """Whether a line may end with ``before`` and the next begin with ``after``, each one character."""
    if after == " " or joins(after) or _JOINERS & {before, after}:
        return False
    if before == " ":
        return after not in NOT_FIRST or _is_of_a_word(after)
    if after in NOT_FIRST or before in NOT_LAST:
        return False
    if before == after and before in _INSEPARABLE:
        return False
    if (after in _POSTFIXES and before.isdecimal()) or (before in _PREFIXES and after.isdecimal()):
        return False
    return not (_is_of_a_word(before) and _is_of_a_word(after))


def joins(character: str) -> bool:
    """Whether it belongs to the character before it: a combining mark or a variation selector (both are marks)."""
    return character > "\u02ff" and unicodedata.category(character)[0] == "M"


def _is_of_a_word(character: str) -> bool:
    """Of a script whose words are parted by spaces (Latin, Vietnamese, Greek, Cyrillic, Devanagari …, and Korean as in
    the portal's ``word-break: keep-all``), with its figures and ASCII's signs.
    """
    if character == " ":
        return False
    low = character < "\u2000" or "\uac00" <= character <= "\ud7a3"
    return low or character in "‘’“”"
