"""A page that is filled in is the page that would have been drawn."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.portal.languages import read_catalogues
from captive_portal.portal.press import MAX_KEPT, Press, url_for

CATALOGUES = read_catalogues()
PLACE = {"title": "t", "provider": "p", "contact": "", "terms_version": "1"}


def facts(blanks: Mapping[str, str]) -> dict[str, object]:
    carried = {"lang": "en", "d": blanks["d"]}
    told = {"page": "welcome", "t": CATALOGUES["en"], "languages": [], "place": PLACE, "carried": carried}
    return {
        **told,
        "keep": {"d": blanks["d"], "token": blanks["token"]},
        "origin": "http://a",
        "token": blanks["token"],
    }


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_filled_in_page_is_the_drawn_one_whatever_stands_in_its_blanks(token: str, d: str) -> None:
    press, blanks = Press("v"), {"token": token, "d": d}
    drawn = press.print("resume.html", blanks, facts)
    assert press.print("resume.html", blanks, facts, "kind") == drawn
    assert press.print("resume.html", blanks, facts, "kind") == drawn


def test_a_page_of_a_kind_is_drawn_once_and_filled_in_from_then_on() -> None:
    press, told = Press("v"), []

    def noted(blanks: Mapping[str, str]) -> dict[str, object]:
        told.append(blanks)
        return facts(blanks)

    pages = [press.print("resume.html", {"token": f"t{n}", "d": "apple"}, noted, "kind") for n in range(5)]
    assert len(told) == 1
    assert len(set(pages)) == 5


def test_only_so_many_pages_are_kept() -> None:
    press = Press("v")
    for number in range(MAX_KEPT * 2):
        press.print("resume.html", {"token": "t", "d": "apple"}, facts, number)
    assert len(vars(press)["_kept"]) == MAX_KEPT


def test_a_page_that_there_is_not_has_no_path() -> None:
    assert url_for("pages.home", lang="ja-easy", token="a b&") == "/?lang=ja-easy&token=a+b%26"
    with pytest.raises(KeyError):
        url_for("pages.nowhere")
