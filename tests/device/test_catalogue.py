"""Words: every language says what the others say, numbers get their plural form, and a missing word has a name."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.catalogue import (
    LANGUAGES,
    CatalogueInvalid,
    WordMissing,
    catalogue_of,
    name_in,
    places,
    plural_category,
    read_by_code,
    read_folder,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from device.catalogue import Catalogue

DAYS = 'left = { one = "{days} day left", other = "{days} days left" }'


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The name of a new package of words."""
    name = f"words_{abs(hash(request.node.name))}"
    (tmp_path / name / "locale").mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return name


def lay(tmp_path: Path, package: str, **texts: str) -> Mapping[str, Catalogue]:
    for language, text in texts.items():
        (tmp_path / package / "locale" / f"{language}.toml").write_text(text, "utf-8")
    return read_folder(package, list(texts))


def test_sentences_and_tables_are_flat_keys(tmp_path: Path, package: str) -> None:
    read = lay(tmp_path, package, ja='"a.b" = "い {n}"\n[t]\nx = "ろ"', en='"a.b" = "i {n}"\n[t]\nx = "ro"')
    assert list(read) == ["ja", "en"]
    assert (read["ja"].text("a.b", n=3), read["en"].text("t.x")) == ("い 3", "ro")
    assert ("t.x" in read["ja"], read["ja"].get("t")) == (True, None)


@pytest.mark.parametrize(
    ("ja", "en", "told"),
    [
        ('a = "x"\nb = "x"', 'a = "x"', "en/b: missing"),
        ('a = "x"', 'a = "x"\nb = "x"', "ja/b: missing"),
        ('a = "{n}"', 'a = "{m}"', "en/a: other places"),
        ('a = "{n}"', "a = 'x", "en/: not TOML"),
        ('left = "あと{days}日"', 'left = { other = "{days} days" }', "en/left: plural forms ['other']"),
        (DAYS, DAYS, "ja/left: plural forms ['one', 'other'], not ['other']"),
        ('left = "x"', 'left = { one = "x", other = "x" }', "en/left: plural forms without a place"),
        (
            'left = "{n}"',
            'left = { one = "{m} x", other = "{n} x" }',
            "en/left: a place that the form other has not: m",
        ),
        ('left = "{n}"', 'left = { one = "{n", other = "{n} x" }', "en/left: braces: "),
        ('a = "{n}{"', 'a = "{n}"', "ja/a: braces: "),
        ('a = "{n}"', 'a = "{n}}"', "en/a: braces: "),
        ('a = "{}"', 'a = "{}"', "ja/a: a place without a name: {}"),
        ('a = "{0}"', 'a = "{0}"', "ja/a: a place without a name: {0}"),
        ('a = "{n.x}"', 'a = "{n.x}"', "ja/a: a place without a name: {n.x}"),
    ],
)
def test_what_one_language_lacks_is_told_by_name(tmp_path: Path, package: str, ja: str, en: str, told: str) -> None:
    with pytest.raises(CatalogueInvalid) as caught:
        lay(tmp_path, package, ja=ja, en=en)
    assert "{language}/{key}: {reason}".format(**caught.value.facts).startswith(told)


def test_readings_of_easy_japanese_are_no_places() -> None:
    assert catalogue_of("ja-easy", {"a": "{無料|むりょう}で{n}{分|ふん/ぷん}"}).sentence("a").startswith("{無料|")


def test_words_in_another_encoding_are_told_by_name(tmp_path: Path, package: str) -> None:
    (tmp_path / package / "locale" / "ja.toml").write_bytes('a = "い"'.encode("shift_jis"))
    (tmp_path / package / "words.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogueInvalid) as of_a_folder:
        read_folder(package, ["ja"])
    with pytest.raises(CatalogueInvalid) as by_code:
        read_by_code(package, "words.toml", ["ja"])
    assert (of_a_folder.value.facts["reason"], by_code.value.facts["reason"]) == ("not UTF-8", "not UTF-8")


def test_a_language_without_a_file_is_told_by_name(package: str) -> None:
    with pytest.raises(CatalogueInvalid) as caught:
        read_folder(package, ["ko"])
    assert (caught.value.facts["language"], caught.value.facts["reason"]) == ("ko", "no such file")


@pytest.mark.parametrize(("key", "place"), [("b", ""), ("a", "n")])
def test_a_missing_word_and_a_missing_value_have_a_code_and_are_key_errors(key: str, place: str) -> None:
    with pytest.raises(KeyError) as caught:
        catalogue_of("ja", {"a": "{n}円"}).text(key, m=1)
    assert isinstance(caught.value, WordMissing)
    assert caught.value.facts == {"language": "ja", "key": key, "place": place}


@given(st.integers(-5, 200))
def test_english_tells_one_from_other_numbers(days: int) -> None:
    english = catalogue_of("en", tomllib.loads(DAYS))
    assert english.text("left", days=days) == f"{days} day{'' if days == 1 else 's'} left"


@pytest.mark.parametrize("language", ["ja", "ja-easy", "zh-Hans", "zh-Hant", "ko", "vi"])
@given(number=st.integers())
def test_languages_without_plurals_have_one_form(language: str, number: int) -> None:
    assert plural_category(language, number) == "other"


def test_every_language_that_the_portal_offers_is_known() -> None:
    assert set(LANGUAGES) == {"ja", "ja-easy", "zh-Hans", "zh-Hant", "ko", "vi", "en", "ne"}
    assert {known.direction for known in LANGUAGES.values()} == {"ltr"}


@pytest.mark.parametrize(
    ("language", "name"),
    [("ja", "摂津市"), ("ja-easy", "摂津市"), ("vi", "Settsu"), ("en", "Settsu"), ("xx", "Settsu")],
)
def test_japanese_readers_are_shown_japanese_names(language: str, name: str) -> None:
    assert name_in(language, "摂津市", "Settsu") == name


@given(st.lists(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), max_size=4))
def test_places_are_values_and_not_readings(names: list[str]) -> None:
    sentence = "{漢字|かんじ}".join(["", *(f"あ{{{name}}}い{{{name}:,}}" for name in names)])
    assert places(sentence) == tuple(name for name in names for _ in range(2))


def test_a_file_by_code_holds_the_languages_side_by_side(tmp_path: Path, package: str) -> None:
    text = """["a.b".ja]\nwhat = "い"\n["a.b".en]\nwhat = "i {other_fact}"\n[kind]\nx = { ja = "ろ", en = "ro" }"""
    (tmp_path / package / "words.toml").write_text(text, "utf-8")
    ja, en = read_by_code(package, "words.toml", ["ja", "en"]).values()
    assert (ja.text("a.b.what"), en.sentence("a.b.what"), en.text("kind.x")) == ("い", "i {other_fact}", "ro")
