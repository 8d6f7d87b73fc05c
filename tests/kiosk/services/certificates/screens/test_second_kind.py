"""A kind that the kiosk never heard of is offered and drawn from its data, and ends as paper and receipt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from device.printer.status import ReceiptLine
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.memory import MemoryIssuer
from kiosk.settings import KioskSettings
from kiosk.simulator import KioskSimulator
from tests.kiosk.conftest import Visitor
from tests.kiosk.issuer.kinds import parking_permit

if TYPE_CHECKING:
    from device.card.virtual.pki import TestPki


@pytest.fixture
def visitor(tmp_path: Path, pki: TestPki) -> Visitor:
    """In front of a kiosk whose issuer makes one kind more; nothing of the kiosk knows."""
    issuer = MemoryIssuer(kinds={**KINDS, "parking_permit": parking_permit.KIND})
    return Visitor(KioskSimulator(tmp_path, pki, settings=KioskSettings(terminal="virtual"), issuer=issuer))


def test_its_form_is_drawn_with_a_control_for_every_choice(visitor: Visitor) -> None:
    assert {"choose-residence_record", "choose-parking_permit"} <= visitor.to_choice().actions
    page = visitor.touch("choose-parking_permit")
    months = {f"months-{n}" for n in range(1, 7)}
    assert {"zone-north", "zone-south", "saturday", "sunday", "copies-5", "back", "next"} | months <= page.actions
    assert "区域は証明書にのります。" in page.text
    form = next(form for form in page.forms if form.id == "options")
    assert (form.fields["zone"], form.fields["months"], form.fields.get("days")) == (["north"], ["3"], None)


def test_what_was_chosen_is_confirmed_and_ordered(visitor: Visitor) -> None:
    visitor.touch("language-en")
    visitor.to_choice()
    visitor.touch("choose-parking_permit")
    page = visitor.touch("next", zone="south", months="6", days="sunday", copies="2")
    assert [word for word in ("Parking permit", "South zone", "6 months", "Sunday") if word not in page.text] == []
    assert {"1 month", "2 months"} <= set(re.findall(r"\d months?", visitor.pages[-2].text))
    visitor.touch("confirm")
    visitor.touch("pay")
    (receipt,) = visitor.simulator.receipts.receipts
    assert "Parking permit" in [part.right for part in receipt if isinstance(part, ReceiptLine)]
    (row,) = visitor.journal.all_rows()
    assert (row.kind, row.copies, row.fee_yen) == ("parking_permit", 2, 600)


def test_too_many_choices_are_said_and_nothing_moves(visitor: Visitor) -> None:
    visitor.to_choice()
    visitor.touch("choose-parking_permit")
    page = visitor.touch("next", days=["saturday", "sunday"])
    assert (page.screen, page.facts["data-notice"]) == ("choose_options", "choose_fewer")
    assert "1つまで選べます。" in page.text
