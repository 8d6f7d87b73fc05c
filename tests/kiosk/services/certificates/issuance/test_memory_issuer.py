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


def _authenticate(issuer: MemoryIssuer, kiosk: str, challenge: p.Challenge) -> p.Resident | p.Refusal:
    message = p.Authenticate(kiosk=kiosk, challenge=challenge.challenge, credential=b"TEST", signature=b"TEST")
    return issuer.authenticate(message)


def test_it_fills_the_port() -> None:
    issuer: IssuerPort = MemoryIssuer()
    assert issuer.health().ready


def test_a_challenge_is_good_once_and_only_for_its_kiosk() -> None:
    issuer = MemoryIssuer()
    challenge, refused = issuer.challenge(KIOSK), p.Refusal(refused=p.RefusalReason.CHALLENGE)
    assert isinstance(_authenticate(issuer, KIOSK, challenge), p.Resident)
    assert _authenticate(issuer, KIOSK, challenge) == refused
    assert _authenticate(issuer, "plaza-2", issuer.challenge(KIOSK)) == refused


def test_a_signature_is_checked_over_the_message_of_the_protocol() -> None:
    issuer = MemoryIssuer(verify=lambda _credential, message, signature: signature == message)
    challenge = issuer.challenge(KIOSK)
    assert _authenticate(issuer, KIOSK, challenge) == p.Refusal(refused=p.RefusalReason.SIGNATURE)
    challenge = issuer.challenge(KIOSK)
    signed = p.authentication_message(challenge.nonce, KIOSK)
    message = p.Authenticate(kiosk=KIOSK, challenge=challenge.challenge, credential=b"TEST", signature=signed)
    assert isinstance(issuer.authenticate(message), p.Resident)


def test_two_visits_share_no_token_and_no_binding() -> None:
    issuer = MemoryIssuer()
    one, two = (_authenticate(issuer, KIOSK, issuer.challenge(KIOSK)) for _ in range(2))
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
        office.issuer.document("nothing", p.DocumentRequest(kiosk=KIOSK, visit="nobody"))
    with pytest.raises(RequestUnknown):
        office.issuer.outcome("nothing", p.Outcome(kiosk=KIOSK, outcome=p.OutcomeKind.VOIDED))


def test_the_first_outcome_told_stays(office: Office) -> None:
    request = office.quoted()
    for outcome in (p.OutcomeKind.DELIVERED, p.OutcomeKind.VOIDED):
        settled = office.issuer.outcome(request, p.Outcome(kiosk=KIOSK, outcome=outcome))
        assert settled.outcome is p.OutcomeKind.DELIVERED


def test_a_switched_off_issuer_answers_nothing() -> None:
    issuer = MemoryIssuer()
    issuer.reachable = False
    with pytest.raises(IssuerUnreachable):
        issuer.challenge(KIOSK)
