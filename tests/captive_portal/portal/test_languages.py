from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.portal.languages import LANGUAGES, Catalogue, choose_language, placeholders, read_catalogues

CATALOGUES = read_catalogues()
KANJI = re.compile(r"[\u4e00-\u9fff々]")


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_says_everything_with_the_same_values(code: str) -> None:
    here, japanese = CATALOGUES[code].sentences, CATALOGUES["ja"].sentences
    assert here.keys() == japanese.keys()
    assert [k for k in japanese if placeholders(here[k]) != placeholders(japanese[k])] == []
    assert [k for k, sentence in here.items() if not sentence.strip()] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_braces_are_only_values_and_readings(code: str) -> None:
    leftovers = [re.sub(r"\{[^{}|]+(\|[^{}|]+)?\}", "", s) for s in CATALOGUES[code].sentences.values()]
    assert [s for s in leftovers if "{" in s or "}" in s] == []


def test_easy_japanese_reads_every_kanji_aloud() -> None:
    bare = {k: re.sub(r"\{[^{}|]+\|[^{}|]+\}", "", s) for k, s in CATALOGUES["ja-easy"].sentences.items()}
    assert {k: s for k, s in bare.items() if KANJI.search(s) and k != "name"} == {}


def test_easy_japanese_keeps_its_sentences_short() -> None:
    spoken = [CATALOGUES["ja-easy"].sentences[k] for k in CATALOGUES["ja-easy"].sentences]
    pieces = [piece for s in spoken for piece in re.sub(r"\{([^{}|]+)\|[^{}|]+\}", r"\1", s).split("。")]
    assert [p for p in pieces if len(p) > 40] == []


def test_a_word_with_reading_becomes_ruby_and_a_value_is_escaped() -> None:
    words = Catalogue("x", {"a": "{時間|じかん}は{minutes}<"})
    assert words.html("a", minutes="<b>") == "<ruby>時間<rt>じかん</rt></ruby>は&lt;b&gt;&lt;"
    assert words.plain("a", minutes=5) == "時間は5<"


@pytest.mark.parametrize(("minutes", "reading"), [(5, "ふん"), (29, "ふん"), (30, "ぷん"), (1, "ぷん"), (118, "ぷん")])
def test_minutes_are_read_as_they_are_spoken(minutes: int, reading: str) -> None:
    told = CATALOGUES["ja-easy"].html("minutes_left", minutes=minutes)
    assert told == f'あと{minutes}<ruby>分<rt data-readings="ふん/ぷん">{reading}</rt></ruby>'
    assert CATALOGUES["ja-easy"].plain("minutes_left", minutes=minutes) == f"あと{minutes}分"


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("zh-TW,zh;q=0.9", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("zh-CN", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("fr-FR,fr;q=0.9,en;q=0.5", "en"),
        ("en;q=0.1,vi;q=0.9", "vi"),
        ("ne-NP", "ne"),
        ("en;q=0,*", "ja"),
        ("", "ja"),
    ],
)
def test_the_browsers_languages_are_respected(accept: str, language: str) -> None:
    assert choose_language(None, accept) == language


@given(st.none() | st.text(max_size=20), st.text(max_size=300))
def test_any_header_gives_one_of_our_languages(wanted: str | None, accept: str) -> None:
    assert choose_language(wanted, accept) in LANGUAGES


@given(st.sampled_from(LANGUAGES), st.text(max_size=50))
def test_the_visitors_own_choice_wins(wanted: str, accept: str) -> None:
    assert choose_language(wanted, accept) == wanted
