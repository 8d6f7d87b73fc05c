"""A page from the cache is the page that would have been rendered."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.portal.languages import read_catalogues
from captive_portal.portal.template_renderer import MAX_CACHED, TemplateRenderer, url_for

CATALOGUES = read_catalogues()
SPOT = {"title": "t", "provider": "p", "contact": "", "terms_version": "1"}


def context(placeholders: Mapping[str, str]) -> dict[str, object]:
    link_query = {"lang": "en", "d": placeholders["d"]}
    page = {"page": "welcome", "t": CATALOGUES["en"], "languages": [], "spot": SPOT, "link_query": link_query}
    return {
        **page,
        "hidden_fields": {"d": placeholders["d"], "token": placeholders["token"]},
        "origin": "http://a",
        "token": placeholders["token"],
    }


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_cached_page_equals_a_rendered_one_whatever_its_placeholders_hold(token: str, d: str) -> None:
    renderer, placeholders = TemplateRenderer("v"), {"token": token, "d": d}
    rendered = renderer.render("resume.html", placeholders, context)
    assert renderer.render("resume.html", placeholders, context, "key") == rendered
    assert renderer.render("resume.html", placeholders, context, "key") == rendered


def test_a_page_with_a_cache_key_is_rendered_once() -> None:
    renderer, calls = TemplateRenderer("v"), []

    def counted(placeholders: Mapping[str, str]) -> dict[str, object]:
        calls.append(placeholders)
        return context(placeholders)

    pages = [renderer.render("resume.html", {"token": f"t{n}", "d": "apple"}, counted, "key") for n in range(5)]
    assert len(calls) == 1
    assert len(set(pages)) == 5


def test_the_cache_is_bounded() -> None:
    renderer = TemplateRenderer("v")
    for number in range(MAX_CACHED * 2):
        renderer.render("resume.html", {"token": "t", "d": "apple"}, context, number)
    assert len(vars(renderer)["_cache"]) == MAX_CACHED


def test_an_unknown_page_has_no_path() -> None:
    assert url_for("pages.home", lang="ja-easy", token="a b&") == "/?lang=ja-easy&token=a+b%26"
    with pytest.raises(KeyError):
        url_for("pages.nowhere")
