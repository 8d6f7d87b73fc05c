"""A kind that the issuer never heard of is offered, ordered, refused by its own rules, drawn and sealed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from device.printer.pdf_drawing import page_texts
from kiosk.issuer import protocol as p
from kiosk.issuer.form import default_answers
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.seal.seal import Verdict
from kiosk.issuer.seal.seal_keys import public_keys
from kiosk.issuer.seal.seal_reading import judge_file
from tests.kiosk.issuer.conftest import Sold
from tests.kiosk.issuer.kinds import parking_permit

if TYPE_CHECKING:
    from tests.kiosk.issuer.conftest import Hall


@pytest.fixture
def sold() -> Sold:
    """One kind more."""
    return Sold({**KINDS, "parking_permit": parking_permit.KIND}, {"residence_record": 300, "parking_permit": 1000})


def _order(hall: Hall, visit: p.Resident, **answers: list[str]) -> p.OrderContent:
    offer = visit.offers[1]
    content = hall.content(visit)
    return msgspec.structs.replace(content, kind=offer.kind, answers=default_answers(offer.form) | answers)


def test_it_is_offered_after_the_others_with_its_fee(hall: Hall) -> None:
    assert [(offer.kind, offer.fee_yen) for offer in hall.enter().offers] == [
        ("residence_record", 300),
        ("parking_permit", 1000),
    ]


def test_it_says_what_was_chosen_and_its_seal_is_genuine(hall: Hall, tmp_path: Path) -> None:
    visit = hall.enter()
    content = _order(hall, visit, zone=["south"], months=["6"])
    quote = hall.quoted(visit.visit, content)
    document = hall.port.document(content.request, p.DocumentRequest(visit=visit.visit))
    assert isinstance(document, p.Document)
    (text,) = page_texts(document.pdf)
    assert [word for word in ("駐車許可証", "南", "6か月", "浩一", quote.issue_number) if word not in text] == []
    judged = judge_file(document.pdf, public_keys(tmp_path / "seal"))
    assert judged.verdict is Verdict.GENUINE
    assert [seal.facts.kind for seal in judged.seals if seal.facts] == ["parking_permit"]


@pytest.mark.parametrize(
    "answers",
    [{"zone": ["west"]}, {"zone": []}, {"months": ["0"]}, {"months": ["03"]}, {"days": ["saturday", "sunday"]}],
)
def test_an_answer_out_of_its_form_is_invalid(hall: Hall, answers: dict[str, list[str]]) -> None:
    visit = hall.enter()
    order = hall.signed(visit.visit, _order(hall, visit, **answers))
    assert hall.port.order(order) == p.Refusal(refused=p.RefusalReason.ORDER_INVALID)


def test_its_own_rules_hold_and_those_of_other_kinds_do_not(hall: Hall) -> None:
    hall.link("demo", "R00003")  # seventeen years old: may have the record of the household, but no permit
    visit = hall.enter()
    answer = hall.port.order(hall.signed(visit.visit, _order(hall, visit)))
    assert answer == p.Refusal(refused=p.RefusalReason.UNDER_AGE)
    assert hall.quoted(visit.visit, hall.content(visit, count=1)).fee_yen == 300
    assert hall.clock.now().date() < date(2027, 2, 20)
