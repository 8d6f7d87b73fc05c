"""The issuer in memory is as strict with the kiosk as the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from kiosk.issuer import protocol as p
from kiosk.issuer.errors import IssuerUnreachable, RequestUnknown
from kiosk.issuer.form import default_answers
from kiosk.issuer.memory import MemoryIssuer

if TYPE_CHECKING:
    from kiosk.issuer.port import IssuerPort
    from tests.kiosk.services.certificates.issuance.conftest import Office

KIOSK = "plaza-1"


def _authenticate(issuer: MemoryIssuer, challenge: p.Challenge) -> p.Resident | p.Refusal:
    message = p.Authenticate(challenge=challenge.challenge, credential=b"TEST", signature=b"TEST")
    return issuer.authenticate(message)


def test_it_fills_the_port() -> None:
    issuer: IssuerPort = MemoryIssuer()
    assert issuer.health().ready


def test_a_challenge_is_good_once() -> None:
    issuer = MemoryIssuer()
    challenge, refused = issuer.challenge(), p.Refusal(refused=p.RefusalReason.CHALLENGE)
    assert isinstance(_authenticate(issuer, challenge), p.Resident)
    assert _authenticate(issuer, challenge) == refused


def test_a_signature_is_checked_over_the_message_of_the_protocol() -> None:
    issuer = MemoryIssuer(kiosk=KIOSK, verify=lambda _credential, message, signature: signature == message)
    challenge = issuer.challenge()
    assert _authenticate(issuer, challenge) == p.Refusal(refused=p.RefusalReason.SIGNATURE)
    challenge = issuer.challenge()
    signed = p.authentication_message(challenge.nonce, KIOSK)
    message = p.Authenticate(challenge=challenge.challenge, credential=b"TEST", signature=signed)
    assert isinstance(issuer.authenticate(message), p.Resident)


def test_two_visits_share_no_token_and_no_binding() -> None:
    issuer = MemoryIssuer()
    one, two = (_authenticate(issuer, issuer.challenge()) for _ in range(2))
    assert isinstance(one, p.Resident)
    assert isinstance(two, p.Resident)
    assert one.visit != two.visit
    assert one.binding != two.binding
    mine, theirs = (default_answers(resident.offers[0].form)["persons"] for resident in (one, two))
    assert set(mine).isdisjoint(theirs)


def test_the_same_order_has_the_same_quote_and_another_content_is_refused(office: Office) -> None:
    order = office.ask(copies=2)
    quote = office.issuer.order(order)
    assert office.issuer.order(order) == quote
    other = msgspec.structs.replace(order, content=msgspec.structs.replace(order.content, copies=3))
    assert office.issuer.order(other) == p.Refusal(refused=p.RefusalReason.ORDER_INVALID)


@pytest.mark.parametrize(
    "change", [{"copies": 0}, {"copies": 6}, {"answers": {}}, {"answers": {"persons": ["stranger"], "items": []}}]
)
def test_an_order_out_of_bounds_is_refused(office: Office, change: dict[str, object]) -> None:
    order = office.ask()
    wrong = msgspec.structs.replace(order, content=msgspec.structs.replace(order.content, **change))
    assert office.issuer.order(wrong) == p.Refusal(refused=p.RefusalReason.ORDER_INVALID)


def test_document_and_outcome_of_a_strange_request_are_surprises(office: Office) -> None:
    with pytest.raises(RequestUnknown):
        office.issuer.document("nothing", p.DocumentRequest(visit="nobody"))
    with pytest.raises(RequestUnknown):
        office.issuer.outcome("nothing", p.Outcome(outcome=p.OutcomeKind.VOIDED))


def test_the_first_outcome_told_stays(office: Office) -> None:
    request = office.quoted()
    for outcome in (p.OutcomeKind.DELIVERED, p.OutcomeKind.VOIDED):
        assert office.resident is not None
        key = p.outcome_key(office.resident.visit, request)
        settled = office.issuer.outcome(request, p.Outcome(outcome=outcome, key=key))
        assert settled == p.Settled(outcome=p.OutcomeKind.DELIVERED)


def test_an_outcome_is_told_with_the_key_of_its_order_alone(office: Office) -> None:
    request = office.quoted()
    other = p.outcome_key("another-visit", request)
    for key in ("", other):
        told = office.issuer.outcome(request, p.Outcome(outcome=p.OutcomeKind.VOIDED, key=key))
        assert told == p.Refusal(refused=p.RefusalReason.ORDER_INVALID)
    assert office.issuer.outcomes == {}


def test_a_switched_off_issuer_answers_nothing() -> None:
    issuer = MemoryIssuer()
    issuer.reachable = False
    with pytest.raises(IssuerUnreachable):
        issuer.challenge()
