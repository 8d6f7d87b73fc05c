"""Every kind has the same shape, and the kinds of tests beside ours: adding one is its folder and a row."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from kiosk.issuer.form import ManyOf, accepts, default_answers
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.kinds.kind import HouseholdPerson, Kind
from kiosk.issuer.protocol import Offer
from tests.kiosk.issuer.kinds import parking_permit

ROOT = Path(__file__).parents[4]
ALL = [*KINDS.values(), parking_permit.KIND]
SHAPE = {"__init__.py", "rules.py", "form.py", "sheet.py", "layout.typ", "locale/ja.toml", "locale/en.toml"}
TAKEN = {"token", "copies", "home", "back", "next", "confirm"}
"""Names of fields and controls of the kiosk's own."""
LONE = [HouseholdPerson("p1", "見本 一郎", is_self=True)]
FAMILY = [*LONE, HouseholdPerson("p2", "見本 花子", is_self=False)]

every_kind = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)


@every_kind
def test_a_kind_is_a_folder_of_seven_files_and_a_row(kind: Kind) -> None:
    files = {str(path.relative_to(kind.folder)) for path in kind.folder.rglob("*") if path.is_file()}
    assert {name for name in files if "__pycache__" not in name} == SHAPE


def test_no_other_code_of_issuer_or_kiosk_names_a_kind() -> None:
    folder, table = KINDS["residence_record"].folder, ROOT / "kiosk" / "issuer" / "kinds" / "__init__.py"
    settings = ROOT / "kiosk" / "issuer" / "settings.py"  # the fee that a site has unless it says otherwise
    named = [
        path
        for ending in ("py", "typ", "html", "js")
        for path in (ROOT / "kiosk").rglob(f"*.{ending}")
        if re.search(r"residence_record|住民票の写し", path.read_text("utf-8")) and folder not in path.parents
    ]
    assert sorted(named) == [table, settings]


@every_kind
def test_a_title_is_there_in_japanese_and_english_at_least(kind: Kind) -> None:
    assert {"ja", "en"} <= kind.title.keys()
    assert all(kind.title.values())


@every_kind
@pytest.mark.parametrize("household", [LONE, FAMILY], ids=["lone", "family"])
def test_a_form_accepts_what_it_offers_first_and_can_be_sent(kind: Kind, household: list[HouseholdPerson]) -> None:
    form = kind.form_for(household)
    assert accepts(form, default_answers(form))
    offer = Offer(kind=kind.name, title=kind.title, fee_yen=300, max_copies=5, form=form)
    assert msgspec.json.decode(msgspec.json.encode(offer), type=Offer) == offer
    assert kind.form_for(household) == form
    assert kind.persons_field is None or kind.persons_field in {field.name for field in form}


@every_kind
def test_the_controls_of_a_form_have_names_of_their_own(kind: Kind) -> None:
    names = []
    for field in kind.form_for(FAMILY):
        assert field.name not in TAKEN
        if isinstance(field, ManyOf):
            names += [choice.name or choice.value for choice in field.choices]
            names += [f"{field.name}-{shortcut.name}" for shortcut in field.shortcuts]
    assert len(names) == len(set(names))
    assert not TAKEN & set(names)
