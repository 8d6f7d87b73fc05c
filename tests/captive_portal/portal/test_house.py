from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from captive_portal.gate.protocol import SetDisaster
from captive_portal.portal.languages import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.test import TestResponse

    from tests.captive_portal.portal.conftest import Phone, Plaza

STATIC = resources.files("captive_portal.portal") / "static"
PAGES = ("welcome", "terms", "online", "ended", "closed", "disaster", "code", "resume", "missing")
VOID = {"meta", "link", "input", "hr", "br", "path", "circle"}


class Reader(HTMLParser):
    """Collects what the rules are about, and notes tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.crossed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.crossed.append(tag)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def show(plaza: Plaza, name: str, language: str) -> TestResponse:
    """Bring a phone to the page ``name``."""
    phone: Phone = plaza.phone()
    query = f"?lang={language}"
    if name == "closed":
        plaza.clock.advance(86400 - 9 * 3600 + 60)
    if name == "disaster":
        until = plaza.clock.now() + timedelta(hours=5)
        plaza.gate.set_disaster(SetDisaster(on=True, reason="r", until=until, by="s", drill=True))
    answer = phone.get(
        {"terms": "/terms", "code": "/code", "resume": "/resume", "missing": "/x"}.get(name, "/") + query
    )
    if name in ("online", "ended"):
        answer = phone.press("login", "one_tap")
    return phone.press("logout") if name == "ended" else answer


@pytest.fixture(params=PAGES)
def shown(request: pytest.FixtureRequest, build_plaza: Callable[..., Plaza]) -> Callable[[str], TestResponse]:
    plaza_hours = {"opens": "06:00", "closes": "23:00"}
    return lambda language: show(build_plaza(**plaza_hours), request.param, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_in_every_language_keeps_the_house_rules(
    shown: Callable[[str], TestResponse], language: str
) -> None:
    answer = shown(language)
    text, reader = answer.text, Reader(answer.text)
    assert reader.of("html")[0]["lang"] == answer.headers["Content-Language"] == language
    assert len(reader.of("h1")) == 1
    assert (reader.crossed, reader.open) == ([], [])
    assert len(answer.data) + sum(len(f.read_bytes()) for f in STATIC.iterdir()) <= 30_000
    assert not re.search(r'\s(?:src|href|action)="(?!/)', text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert [s for s in reader.of("script") if "src" not in s] == []
    assert len([a for _, a in reader.tags if a.get("name") == "lang"]) == 1
    assert [o["value"] for o in reader.of("option")] == list(LANGUAGES)
    named = {a["id"] for _, a in reader.tags if "id" in a}
    asked = {i["id"] for i in reader.of("input") if i.get("type") != "hidden"} | {"lang"}
    assert asked == {label["for"] for label in reader.of("label")} <= named
    assert answer.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_language_choice_keeps_the_visitor_on_the_page(plaza: Plaza) -> None:
    phone = plaza.phone()
    answer = phone.get("/code?request=abc&lang=ko&d=android")
    form = re.search(r'<form class="language" method="get" action="/code".*?</form>', answer.text, re.DOTALL)
    assert form
    assert re.findall(r'name="(request|d)" value="([^"]+)"', form[0]) == [("d", "android"), ("request", "abc")]


def test_static_files_are_kept_by_the_phone_and_named_by_content(plaza: Plaza) -> None:
    phone = plaza.phone()
    links = re.findall(r'"(/static/[^"]+\?v=[0-9a-f]{8})"', phone.get("/").text)
    assert len(links) == 3
    assert all("max-age" in phone.get(link).headers["Cache-Control"] for link in links)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    ("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("on-main", "main"),
    ("on-main", "main-dark"),
    ("link", "card"), ("link", "paper"), ("good", "card"), ("good", "good-paper"), ("bad", "bad-paper"),
    ("on-alarm", "alarm"), ("drill", "drill-paper"),
]  # fmt: skip


@pytest.mark.parametrize("dark", [False, True])
def test_colours_keep_the_contrast_of_wcag_aa(dark: bool) -> None:
    css = (STATIC / "portal.css").read_text("utf-8")
    light, night = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", css[a:b]))
        for a, b in pairwise([0, css.index("@media"), css.index("* {")])
    )
    colours = {**light, **night} if dark else light
    assert {pair: round(c, 2) for pair in PAIRS if (c := contrast(colours[pair[0]], colours[pair[1]])) < 4.5} == {}
    assert contrast(colours["line"], colours["card"]) >= 3  # WCAG 1.4.11: the border of a field
