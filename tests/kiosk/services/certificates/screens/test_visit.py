"""Whole visits through the pages, by the names on their controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from device.printer.status import Condition
from kiosk.issuer.protocol import OutcomeKind, RefusalReason
from kiosk.services.certificates.issuance.states import State

if TYPE_CHECKING:
    from tests.kiosk.conftest import Stage, Visitor


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_whole_visit_ends_with_paper_a_receipt_and_a_settled_request(visitor: Visitor, language: str) -> None:
    visitor.touch(f"language-{language}")
    visitor.to_confirm(**{"persons.shortcut": "all", "copies": "2"})
    assert visitor.page.facts["data-fee"] == "600"
    visitor.touch("confirm")
    visitor.simulator.remove()
    assert visitor.screen == "pay"
    assert visitor.touch("pay").screen == "take_items"
    assert visitor.touch("taken").screen == "done"
    assert {page.language for page in visitor.pages[1:]} == {language}
    assert visitor.touch("home").screen == "home"
    assert visitor.simulator.pages.pages == 2
    assert len(visitor.simulator.receipts.receipts) == 1
    (row,) = visitor.journal.all_rows()
    assert row.state is State.DELIVERED
    assert list(visitor.simulator.issuer.outcomes.values()) == [OutcomeKind.DELIVERED]


def test_the_order_is_what_was_chosen(visitor: Visitor) -> None:
    visitor.to_choice()
    page = visitor.touch("choose-residence_record")
    people = [value for form in page.forms for value in form.fields.get("persons", [])]
    assert len(people) == 1
    chosen: dict[str, str | list[str]] = {"persons.shortcut": "some", "persons": people, "copies": "3"}
    shown = visitor.touch("next", **chosen, items="registered_domicile").text
    assert "試験 一郎" in shown
    assert "試験 花子" not in shown
    assert "本籍・筆頭者" in shown
    assert "900円" in shown


def test_choosing_nobody_is_said_and_nothing_moves(visitor: Visitor) -> None:
    visitor.to_choice()
    visitor.touch("choose-residence_record")
    page = visitor.touch("next", **{"persons.shortcut": "some", "persons": "never-heard-of"})
    assert page.screen == "choose_options"
    assert page.facts["data-notice"] == "choose_more"
    assert "1人以上選んでください。" in page.text


@pytest.mark.parametrize("copies", ["0", "-3", "99", "many"])
def test_copies_out_of_bounds_are_brought_back_into_them(visitor: Visitor, copies: str) -> None:
    page = visitor.to_confirm(copies=copies)
    assert page.screen == "confirm"
    assert 300 <= int(page.facts["data-fee"]) <= 1500


def test_back_leads_step_by_step(visitor: Visitor) -> None:
    visitor.to_confirm()
    assert visitor.touch("back").screen == "choose_options"
    assert visitor.touch("back").screen == "choose_certificate"


def test_leaving_before_payment_voids_the_request(visitor: Visitor) -> None:
    visitor.to_confirm()
    visitor.touch("confirm")
    assert visitor.touch("home").screen == "home"
    (row,) = visitor.journal.all_rows()
    assert row.state is State.VOIDED
    assert list(visitor.simulator.issuer.outcomes.values()) == [OutcomeKind.VOIDED]
    assert visitor.simulator.pages.pages == 0


def test_a_free_certificate_asks_for_no_fee(visitor: Visitor) -> None:
    visitor.simulator.issuer.__init__(fee_yen=0)  # type: ignore[misc]  # the same issuer, at another price
    visitor.to_confirm()
    visitor.touch("confirm")
    visitor.simulator.settle()
    assert visitor.screen == "take_items"


def test_a_receipt_that_fails_does_not_hold_up_the_certificate(visitor: Visitor) -> None:
    visitor.simulator.receipts.set(Condition.PAPER_OUT)
    page = visitor.to_paper()
    assert page.screen == "take_items"
    assert page.facts["data-receipt"] == "failed"
    assert visitor.simulator.pages.pages == 1


def test_paper_that_runs_out_before_printing_is_waited_for(visitor: Visitor) -> None:
    visitor.to_confirm()
    visitor.touch("confirm")
    visitor.simulator.pages.set(Condition.PAPER_OUT)
    page = visitor.touch("pay")
    assert page.facts["data-trouble"] == "print.failed"
    (row,) = visitor.journal.refund_list()
    assert row.state is State.VOIDED
    assert row.issue_number in page.text


@pytest.mark.parametrize(
    ("language", "said"), [("ja", "ご本人の確認と証明書の発行のためだけ"), ("en", "only to confirm who you are")]
)
def test_the_purpose_of_use_is_told_before_the_card_is_put_down(visitor: Visitor, language: str, said: str) -> None:
    visitor.touch(f"language-{language}")
    visitor.touch("start")
    page = visitor.touch("certificates")
    assert (page.screen, page.facts["data-purpose"]) == ("place_card", "certificates")
    assert said in page.text


def test_the_counter_takes_the_fee_by_the_staff_code(stage: Stage, staff_hash: str) -> None:
    visitor = stage(terminal="counter", staff_code_hash=staff_hash)
    visitor.to_confirm()
    visitor.touch("confirm")
    assert visitor.touch("staff-code", code="1111").facts["data-notice"] == "staff_code_wrong"
    assert visitor.touch("staff-code", code="2468").screen == "take_items"


def test_a_wrong_page_destroys_the_document_and_closes_the_kiosk_until_staff_clear_it(
    stage: Stage, staff_hash: str
) -> None:
    visitor = stage(staff_code_hash=staff_hash)
    visitor.simulator.issuer.change_marks = lambda marks: [mark[::-1] for mark in marks]
    visitor.to_confirm()
    assert visitor.touch("confirm").screen == "closed"
    assert visitor.simulator.pages.pages == 0
    visitor.simulator.settle(3600)
    assert visitor.screen == "closed"
    visitor.touch("staff")
    page = visitor.touch("enter", code="2468")
    assert page.facts["data-alarm"] == "on"
    visitor.touch("clear-alarm")
    visitor.touch("home")
    visitor.simulator.settle()
    assert visitor.screen == "home"


def test_without_the_staff_code_the_alarm_can_not_be_cleared(stage: Stage, staff_hash: str) -> None:
    visitor = stage(staff_code_hash=staff_hash)
    page = visitor.touch("staff")
    visitor.simulator.kiosk.shell.alarm.raise_("page_mismatch")
    token = page.forms[0].fields["token"][0]
    visitor.client.post("/staff/clear-alarm", data={"token": token})
    assert visitor.simulator.kiosk.shell.alarm.closed


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_each_refusal_of_the_holder_is_told(visitor: Visitor, reason: RefusalReason) -> None:
    visitor.simulator.issuer.refuse_authentication = reason
    page = visitor.to_choice()
    assert page.screen == "trouble"
    assert page.facts["data-trouble"] == f"refused.{reason.value}"
    visitor.simulator.kiosk.shell.words.text("ja", f"trouble.refused.{reason.value}.next")


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_each_refusal_of_the_order_is_told(visitor: Visitor, reason: RefusalReason) -> None:
    visitor.simulator.issuer.refuse_order = reason
    visitor.to_confirm()
    assert visitor.touch("confirm").facts["data-trouble"] == f"refused.{reason.value}"
    assert visitor.simulator.pages.pages == 0


def test_a_refusal_between_order_and_document_takes_no_money(visitor: Visitor) -> None:
    visitor.simulator.issuer.refuse_document = RefusalReason.COUNTER
    visitor.to_confirm()
    assert visitor.touch("confirm").facts["data-trouble"] == "refused.counter"
    assert visitor.journal.refund_list() == []
