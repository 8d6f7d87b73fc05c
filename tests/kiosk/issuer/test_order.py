"""Orders, documents and outcomes, directly and over HTTP."""

from __future__ import annotations

import hashlib
import threading
from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pytest

from device.printer.pdf_drawing import page_texts
from kiosk.issuer import protocol as p
from kiosk.issuer.errors import RequestUnknown
from kiosk.issuer.paper.issue_number import is_issue_number
from kiosk.issuer.protocol import RefusalReason
from kiosk.issuer.register.records import GoneReason, Tombstone
from tests.kiosk.issuer.conftest import persons_of

if TYPE_CHECKING:
    from tests.kiosk.issuer.conftest import Hall


def test_an_order_is_quoted_with_its_fee_and_an_issue_number(hall: Hall) -> None:
    visit = hall.enter()
    quote = hall.quoted(visit.visit, hall.content(visit, copies=2))
    assert quote == p.Quote(issue_number="R8-000001-4", fee_yen=600, pages=1)
    assert is_issue_number(quote.issue_number)


def test_the_document_carries_the_mark_of_every_page(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit, copies=3)
    quote = hall.quoted(visit.visit, content)
    document = _document(hall, visit, content)
    assert document.pages == quote.pages * 3
    assert document.sha256 == hashlib.sha256(document.pdf).hexdigest()
    for n, text in enumerate(page_texts(document.pdf), 1):
        assert p.page_mark(content.request, visit.binding, n, document.pages) in text
        assert quote.issue_number in text


def test_the_same_order_again_gives_the_same_quote_and_document(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    first, paper = hall.quoted(visit.visit, content), _document(hall, visit, content)
    hall.clock.advance(30)
    assert hall.quoted(visit.visit, content) == first
    assert _document(hall, visit, content) == paper


def test_the_same_request_with_other_content_is_invalid(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    other = msgspec.structs.replace(content, copies=2)
    assert hall.port.order(hall.signed(visit.visit, other)) == p.Refusal(refused=RefusalReason.ORDER_INVALID)


def test_a_tampered_order_is_refused(hall: Hall) -> None:
    visit = hall.enter()
    order = hall.signed(visit.visit, hall.content(visit))
    more = msgspec.structs.replace(order, content=msgspec.structs.replace(order.content, copies=5))
    assert hall.port.order(more) == p.Refusal(refused=RefusalReason.SIGNATURE)


def test_an_order_signed_by_another_card_is_refused(hall: Hall) -> None:
    visit = hall.enter()
    order = hall.signed(visit.visit, hall.content(visit), card="demo2")
    assert hall.port.order(order) == p.Refusal(refused=RefusalReason.SIGNATURE)


def test_another_kiosk_can_not_use_this_kiosks_visit(hall: Hall) -> None:
    visit = hall.enter()
    order = hall.signed(visit.visit, hall.content(visit), kiosk="kiosk-other")
    assert hall.other.order(order) == p.Refusal(refused=RefusalReason.CHALLENGE)


def test_a_visit_ends_after_ten_minutes(hall: Hall) -> None:
    visit = hall.enter()
    hall.clock.advance(601)
    answer = hall.port.order(hall.signed(visit.visit, hall.content(visit)))
    assert answer == p.Refusal(refused=RefusalReason.CHALLENGE)


@pytest.mark.parametrize("copies", [-1, 0, 6, 1000])
def test_copies_outside_the_bounds_are_refused(hall: Hall, copies: int) -> None:
    visit = hall.enter()
    order = hall.signed(visit.visit, hall.content(visit, copies=copies))
    assert hall.port.order(order) == p.Refusal(refused=RefusalReason.ORDER_INVALID)


def test_a_person_of_another_visit_is_refused(hall: Hall) -> None:
    hall.link("demo2", "R00005")
    mine, other = hall.enter("demo"), hall.enter("demo2")
    content = hall.content(mine)
    strange = _answering(content, persons=sorted([persons_of(mine)[0], persons_of(other)[0]]))
    assert hall.port.order(hall.signed(mine.visit, strange)) == p.Refusal(refused=RefusalReason.ORDER_INVALID)


@pytest.mark.parametrize("request_id", ["../etc", "x" * 65])
def test_a_request_id_that_can_not_be_ours_is_invalid_and_not_written_down(hall: Hall, request_id: str) -> None:
    visit = hall.enter()
    content = msgspec.structs.replace(hall.content(visit), request=request_id)
    answer = hall.port.order(hall.signed(visit.visit, content))
    assert answer == p.Refusal(refused=RefusalReason.ORDER_INVALID)
    assert "../etc" not in str(hall.audit.lines())


@pytest.mark.parametrize(
    "answers",
    [
        {"persons": []},
        {"persons": ["never-heard-of"]},
        {"items": ["relationship", "registered_domicile"]},  # not in ascending order
        {"items": ["relationship", "relationship"]},
        {"items": ["my_number"]},
        {"more": []},
    ],
)
def test_answers_out_of_the_form_are_invalid(hall: Hall, answers: dict[str, list[str]]) -> None:
    visit = hall.enter()
    order = hall.signed(visit.visit, _answering(hall.content(visit), **answers))
    assert hall.port.order(order) == p.Refusal(refused=RefusalReason.ORDER_INVALID)


def test_a_field_without_an_answer_is_invalid(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    short = msgspec.structs.replace(content, answers={"persons": content.answers["persons"]})
    assert hall.port.order(hall.signed(visit.visit, short)) == p.Refusal(refused=RefusalReason.ORDER_INVALID)


def test_the_order_of_fields_on_the_wire_is_not_part_of_the_order(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    quote = hall.quoted(visit.visit, content)
    turned = msgspec.structs.replace(content, answers=dict(reversed(content.answers.items())))
    assert hall.quoted(visit.visit, turned) == quote


def test_a_kind_that_can_not_be_made_is_unavailable(hall: Hall) -> None:
    visit = hall.enter()
    content = msgspec.structs.replace(hall.content(visit), kind="taxation")
    assert hall.port.order(hall.signed(visit.visit, content)) == p.Refusal(refused=RefusalReason.KIND_UNAVAILABLE)


def test_a_tombstone_between_order_and_document_beats_the_accepted_order(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    hall.register.add_tombstone(Tombstone(resident="R00003", reason=GoneReason.MOVED_OUT, since=date(2026, 11, 23)))
    answer = hall.port.document(content.request, p.DocumentRequest(visit=visit.visit))
    assert answer == p.Refusal(refused=RefusalReason.COUNTER)


def test_a_restriction_between_order_and_document_stops_the_document(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    hall.register.restrict("R00001")
    answer = hall.port.document(content.request, p.DocumentRequest(visit=visit.visit))
    assert answer == p.Refusal(refused=RefusalReason.COUNTER)


def test_another_visit_gets_no_document_of_this_one(hall: Hall) -> None:
    mine, later = hall.enter(), hall.enter()
    content = hall.content(mine)
    hall.quoted(mine.visit, content)
    answer = hall.port.document(content.request, p.DocumentRequest(visit=later.visit))
    assert answer == p.Refusal(refused=RefusalReason.ORDER_INVALID)


def test_another_kiosk_does_not_even_learn_that_a_request_exists(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    with pytest.raises(RequestUnknown):
        hall.other.document(content.request, p.DocumentRequest(visit=visit.visit))
    with pytest.raises(RequestUnknown):
        hall.other.outcome(content.request, p.Outcome(outcome=p.OutcomeKind.VOIDED))
    with pytest.raises(RequestUnknown):
        hall.port.outcome("nobody-asked", p.Outcome(outcome=p.OutcomeKind.VOIDED))


def test_the_first_outcome_told_stays(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    for outcome in (p.OutcomeKind.DELIVERED, p.OutcomeKind.VOIDED):
        settled = hall.told(visit, content, outcome)
        assert settled == p.Settled(outcome=p.OutcomeKind.DELIVERED)
    assert [line.event for line in hall.audit.lines()].count("certificate_settled") == 1


def test_what_staff_found_takes_the_place_of_unknown(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    for told, stands in (("unknown", "unknown"), ("delivered", "delivered"), ("unknown", "delivered")):
        settled = hall.told(visit, content, p.OutcomeKind(told))
        assert settled == p.Settled(outcome=p.OutcomeKind(stands))


def test_after_the_outcome_there_is_no_document_any_more(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit)
    hall.quoted(visit.visit, content)
    hall.told(visit, content, p.OutcomeKind.VOIDED)
    answer = hall.port.document(content.request, p.DocumentRequest(visit=visit.visit))
    assert answer == p.Refusal(refused=RefusalReason.ORDER_INVALID)


def test_orders_told_at_the_same_instant_never_share_a_number(hall: Hall) -> None:
    visit = hall.enter()
    orders = [hall.signed(visit.visit, hall.content(visit, count=1)) for _ in range(4)]
    answers: list[p.Quote | p.Refusal] = []
    threads = [threading.Thread(target=lambda o=o: answers.append(hall.port.order(o))) for o in [*orders, orders[0]]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quotes = [a for a in answers if isinstance(a, p.Quote)]
    assert len({q.issue_number for q in quotes}) == 4
    assert len(quotes) >= 4


def test_neither_database_nor_audit_nor_log_holds_what_must_not_be_kept(hall: Hall) -> None:
    visit = hall.enter()
    content = hall.content(visit, items=["registered_domicile", "relationship"])
    hall.quoted(visit.visit, content)
    _document(hall, visit, content)
    hall.ledger.close()
    kept = b"".join(f.read_bytes() for f in hall.ledger.path.parent.glob("ledger.db*"))
    for secret in ("浩一", "千里丘", "辻", visit.visit):
        assert secret.encode() not in kept
        assert secret not in hall.log.getvalue()
    assert hall.pki.credential("demo")[:64] not in kept


def _answering(content: p.OrderContent, **answers: list[str]) -> p.OrderContent:
    return msgspec.structs.replace(content, answers=content.answers | answers)


def _document(hall: Hall, visit: p.Resident, content: p.OrderContent) -> p.Document:
    answer = hall.port.document(content.request, p.DocumentRequest(visit=visit.visit))
    assert isinstance(answer, p.Document)
    return answer
