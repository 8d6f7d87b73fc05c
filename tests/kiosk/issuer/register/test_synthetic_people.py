"""The synthetic residents are what the demo and the tests count on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.issuer.eligibility import age
from kiosk.issuer.register.population_file import inconsistencies
from kiosk.issuer.register.synthetic_people import DEMO_RESIDENT, REFERENCE_DAY, population

if TYPE_CHECKING:
    from kiosk.issuer.paper.glyphs import GlyphCheck


def test_there_are_two_hundred_in_households_of_one_to_nine() -> None:
    people = population()
    sizes = Counter(Counter(r.household for r in people.residents).values())
    assert len(people.residents) == 200
    assert set(sizes) == set(range(1, 10))


def test_the_demo_resident_heads_a_household_of_four_with_rare_characters() -> None:
    people = population()
    family = [r for r in people.residents if r.household == people.residents[0].household]
    assert (family[0].resident, family[0].relationship, len(family)) == (DEMO_RESIDENT, "世帯主", 4)
    assert family[0].name == "辻\U000e0102 浩一"
    assert any("𠮷" in r.name for r in family)


def test_every_special_case_is_there() -> None:
    people = population()
    names = "".join(r.name for r in people.residents)
    assert all(c in names for c in ("𠮷", "髙", "﨑", "邉\U000e0110", "辻\U000e0102"))
    assert any(r.foreign and r.foreign.alias for r in people.residents)
    assert any(r.foreign and r.foreign.expires for r in people.residents)
    assert any(r.moving_out for r in people.residents)
    assert any(age(r.born, REFERENCE_DAY) < 15 for r in people.residents)
    assert len(people.restricted) == 3
    assert {t.reason.value for t in people.tombstones} == {"deceased", "moved_out"}


def test_the_font_has_every_character_of_every_resident(glyphs: GlyphCheck) -> None:
    people = population()
    texts = [text for r in people.residents for text in (r.name, r.kana, r.domicile, r.previous_address)]
    texts += [h.address for h in people.households]
    texts += [
        t for r in people.residents if r.foreign for t in (r.foreign.nationality, r.foreign.status, r.foreign.alias)
    ]
    assert glyphs.missing(texts) == set()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(4, 120))
def test_any_seed_gives_people_that_fit_together(seed: int, size: int) -> None:
    people = population(seed, size)
    assert len(people.residents) == size
    assert inconsistencies(people) == []
    assert people == population(seed, size)
    assert all(r.born <= r.resident_since <= r.notified for r in people.residents)
    assert all(h.householder in {r.resident for r in people.residents} for h in people.households)
