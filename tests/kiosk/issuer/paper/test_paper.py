"""The paper itself: words, marks, variation selectors in text and in ink."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from PIL import Image

from device.clock import JST
from device.printer.pdf_drawing import page_count, page_png, page_texts
from kiosk.issuer.errors import FontMissing
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.kinds.kind import SheetOrder
from kiosk.issuer.kinds.residence_record.sheet import sheet
from kiosk.issuer.paper.composition import compose
from kiosk.issuer.paper.glyphs import find_font
from kiosk.issuer.paper.layout import plan
from kiosk.issuer.paper.sheet import IssueFacts, Sheet, words_of
from kiosk.issuer.paper.typst_renderer import TypstRenderer
from kiosk.issuer.protocol import page_mark
from kiosk.issuer.register.records import HouseholdNow
from kiosk.issuer.register.synthetic_people import population

if TYPE_CHECKING:
    from kiosk.issuer.paper.glyphs import GlyphCheck

Drawn = Callable[..., bytes]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=JST)
ALL = population()
LAYOUT = KINDS["residence_record"].layout
FULL = ("registered_domicile", "relationship")
BARE = ()


def _house(place: int) -> HouseholdNow:
    found = ALL.households[place]
    members = [r for r in ALL.residents if r.household == found.household]
    return HouseholdNow(household=found, members=members, restricted=frozenset())


def _sheet(house: HouseholdNow, items: Sequence[str] = FULL, count: int | None = None) -> Sheet:
    issue = IssueFacts(number="R8-000123-4", authority="摂津市長　見本　太郎", day=AT.date())
    persons = [m.resident for m in house.members][:count]
    return sheet(SheetOrder(house, persons[0], persons, {"items": items}, issue))


@pytest.fixture(scope="module")
def drawn(renderer: TypstRenderer, glyphs: GlyphCheck) -> Drawn:
    """The PDF of copies of a sheet."""

    def draw(words: Sheet, copies: int = 1) -> bytes:
        pages = plan(words, glyphs.width)
        assert pages
        return renderer.render(LAYOUT, compose(words, pages, copies, "request-1", "binding-1"), AT)

    return draw


def test_a_household_of_nine_takes_several_pages_each_with_its_own_mark(drawn: Drawn) -> None:
    pdf = drawn(_sheet(_house(1)), copies=2)
    texts = page_texts(pdf)
    assert len(texts) == page_count(pdf) >= 4
    per_copy = len(texts) // 2
    for n, text in enumerate(texts, 1):
        assert page_mark("request-1", "binding-1", n, len(texts)) in text
        assert f"{(n - 1) % per_copy + 1} / {per_copy}" in text
    assert sum("以下余白" in text for text in texts) == 2


def test_every_member_stands_whole_on_one_page(drawn: Drawn) -> None:
    house = _house(1)
    texts = page_texts(drawn(_sheet(house)))
    for member in house.members:
        assert sum(_plain(member.name) in _plain(text) for text in texts) >= 1
    assert sum(text.count("氏名") for text in texts) == 9


@pytest.mark.needs("poppler")
def test_names_keep_their_selectors_in_the_text_layer(drawn: Drawn, tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(drawn(_sheet(_house(0))))
    text = subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True).stdout.decode()
    for member in _house(0).members:
        assert member.name in text


@pytest.mark.parametrize("name", ["辻\U000e0102", "邉\U000e0110", "葛\U000e0102", "榊\U000e0102", "齋\U000e0103"])
def test_a_variation_is_drawn_and_not_its_base(drawn: Drawn, name: str) -> None:
    inks = [page_png(drawn(_renamed(n)), 0, 100) for n in (name, name[0])]
    assert inks[0] != inks[1]


def test_the_same_name_gives_the_same_ink(drawn: Drawn) -> None:
    assert drawn(_renamed("辻")) == drawn(_renamed("辻"))


def test_what_was_not_asked_for_is_not_on_the_paper() -> None:
    words = "\n".join(words_of(_sheet(_house(0), BARE)))
    assert not [label for label in ("続柄", "世帯主", "本籍", "筆頭者") if label in words]
    asked = "\n".join(words_of(_sheet(_house(0), FULL)))
    assert all(label in asked for label in ("続柄", "世帯主", "本籍", "筆頭者"))


def test_no_paper_speaks_of_my_number_or_the_record_code() -> None:
    for place in range(len(ALL.households)):
        words = "\n".join(words_of(_sheet(_house(place))))
        assert not [w for w in ("個人番号", "マイナンバー", "住民票コード") if w in words]


def test_whole_and_partial_copies_are_certified_as_such() -> None:
    assert "世帯全員の" in _sheet(_house(0)).sentence
    assert "世帯の一部の者の" in _sheet(_house(0), count=3).sentence


def test_nobody_else_of_the_household_is_on_a_partial_copy(drawn: Drawn) -> None:
    text = page_texts(drawn(_sheet(_house(0), BARE, count=1)))[0]
    assert "浩一" in text
    assert not [given for given in ("𠮷乃", "美咲", "健𠮷") if given in text]


def test_a_foreign_resident_has_nationality_and_status_and_no_registered_domicile() -> None:
    words = list(words_of(_sheet(_house(3))))
    assert {"国籍・地域", "在留資格", "外国人住民となった年月日"} <= set(words)
    assert "本籍" not in words
    assert any(w.endswith("年12月21日") and w[0].isdigit() for w in words)


def test_every_word_of_every_household_is_in_the_font(glyphs: GlyphCheck) -> None:
    for place in range(len(ALL.households)):
        assert glyphs.missing(words_of(_sheet(_house(place)))) == set()


@pytest.mark.parametrize("cluster", ["辻\U000e0100", "𠮷\U000e0102", "か\u3099", "Ễ", "😀", "\n", "\ufe0f"])
def test_a_cluster_the_font_lacks_is_found(glyphs: GlyphCheck, cluster: str) -> None:
    assert glyphs.missing(["見本" + cluster]) != set()


def test_a_missing_font_is_told(tmp_path: Path) -> None:
    with pytest.raises(FontMissing):
        find_font([str(tmp_path)])


def test_words_that_look_like_markup_are_printed_as_they_are(drawn: Drawn) -> None:
    text = page_texts(drawn(_renamed('#panic()*_$x$"\\')))[0]
    assert '#panic()*_$x$"\\' in text


def _renamed(name: str) -> Sheet:
    house = _house(0)
    person = msgspec.structs.replace(house.members[0], name=name)
    return _sheet(msgspec.structs.replace(house, members=[person]))


def _plain(text: str) -> str:
    return "".join(c for c in text if not c.isspace() and ord(c) < 0xE0100)


def test_a_specimen_bears_its_mark_in_ink_on_every_page_and_not_in_its_text(font: Path, glyphs: GlyphCheck) -> None:
    words = _sheet(_house(1))
    pages = plan(words, glyphs.width)
    assert pages
    paper = compose(words, pages, 1, "request-1", "binding-1")
    root = Path(str(resources.files("kiosk.issuer")))
    plain, marked = (TypstRenderer(font, root, specimen=mark).render(LAYOUT, paper, AT) for mark in (False, True))
    assert page_texts(marked) == page_texts(plain)
    shades = [Image.open(io.BytesIO(page_png(marked, n, 50))).convert("L").histogram()[222] for n in range(len(pages))]
    assert min(shades) > 2000
