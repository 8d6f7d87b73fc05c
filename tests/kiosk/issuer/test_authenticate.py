"""Who the issuer lets in, directly and over HTTP."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pytest

from device.card.credential import identity
from kiosk.issuer import protocol as p
from kiosk.issuer.protocol import RefusalReason
from kiosk.issuer.register.records import GoneReason, Tombstone
from tests.kiosk.issuer.conftest import persons_field, persons_of

if TYPE_CHECKING:
    from tests.kiosk.issuer.conftest import Hall


def test_the_demo_resident_is_offered_the_record_of_the_household(hall: Hall) -> None:
    resident = hall.enter()
    (offer,) = resident.offers
    assert (offer.kind, offer.title["ja"], offer.fee_yen, offer.max_copies) == (
        "residence_record",
        "住民票の写し",
        300,
        5,
    )
    persons = persons_field(resident)
    assert [one.label["ja"] for one in persons.choices][:2] == ["辻\U000e0102 浩一", "辻\U000e0102 𠮷乃"]
    assert persons.default == [persons.choices[0].value]


def test_two_visits_of_one_resident_share_no_id(hall: Hall) -> None:
    one, other = hall.enter(), hall.enter()
    assert one.visit != other.visit
    assert one.binding != other.binding
    assert not set(persons_of(one)) & set(persons_of(other))


def test_a_nonce_signed_for_another_kiosk_is_refused(hall: Hall) -> None:
    proof = hall.proof(kiosk="kiosk-other")
    answer = hall.port.authenticate(proof)
    assert answer == p.Refusal(refused=RefusalReason.CHALLENGE)


def test_a_challenge_is_taken_once(hall: Hall) -> None:
    proof = hall.proof()
    assert isinstance(hall.port.authenticate(proof), p.Resident)
    assert hall.port.authenticate(proof) == p.Refusal(refused=RefusalReason.CHALLENGE)


def test_a_failed_proof_spends_its_challenge_too(hall: Hall) -> None:
    proof = hall.proof()
    hall.port.authenticate(msgspec.structs.replace(proof, signature=b"\0" * 256))
    assert hall.port.authenticate(proof) == p.Refusal(refused=RefusalReason.CHALLENGE)


def test_a_challenge_grows_old(hall: Hall) -> None:
    proof = hall.proof()
    hall.clock.advance(121)
    assert hall.port.authenticate(proof) == p.Refusal(refused=RefusalReason.CHALLENGE)


def test_a_signature_over_another_nonce_is_refused(hall: Hall) -> None:
    first, second = hall.proof(), hall.proof()
    mixed = msgspec.structs.replace(first, signature=second.signature)
    assert hall.port.authenticate(mixed) == p.Refusal(refused=RefusalReason.SIGNATURE)


def test_another_cards_signature_is_refused(hall: Hall) -> None:
    mine, other = hall.proof("demo"), hall.proof("demo2")
    mixed = msgspec.structs.replace(other, credential=mine.credential)
    assert hall.port.authenticate(mixed) == p.Refusal(refused=RefusalReason.SIGNATURE)


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("unknown_ca", RefusalReason.CREDENTIAL_UNKNOWN),
        ("expired", RefusalReason.CREDENTIAL_EXPIRED),
        ("demo2", RefusalReason.NOT_RESIDENT),
    ],
)
def test_a_card_that_names_no_resident_of_ours_is_refused(hall: Hall, card: str, reason: RefusalReason) -> None:
    if card != "demo2":
        hall.link(card, "R00001")
    assert hall.refused(card) is reason


def test_garbage_instead_of_a_credential_is_refused(hall: Hall) -> None:
    answer = hall.port.authenticate(msgspec.structs.replace(hall.proof(), credential=b"\x30\x03\x02\x01\x00"))
    assert answer == p.Refusal(refused=RefusalReason.CREDENTIAL_UNKNOWN)


def test_a_revoked_credential_is_refused(hall: Hall) -> None:
    hall.register.revoke(*identity(hall.pki.credential("demo")))
    assert hall.refused() is RefusalReason.CREDENTIAL_EXPIRED


def test_a_renewed_card_is_the_same_person(hall: Hall) -> None:
    hall.link("demo2", "R00001")
    first, second = (persons_field(hall.enter(card)).choices[0] for card in ("demo", "demo2"))
    assert first.label == second.label


def test_a_child_under_fifteen_is_refused(hall: Hall) -> None:
    hall.link("demo2", "R00004")
    assert hall.refused("demo2") is RefusalReason.UNDER_AGE


def test_a_restriction_answers_and_is_written_down_like_any_other_case_for_the_counter(hall: Hall) -> None:
    leaving = next(r for r in hall.register.residents() if _moving(hall, r))
    hall.link("demo2", leaving)
    hall.register.restrict("R00001")
    answers = [hall.port.authenticate(hall.proof(card)) for card in ("demo", "demo2")]
    hall.register.restrict("R00001", on=False)
    hall.register.add_tombstone(Tombstone(resident="R00001", reason=GoneReason.DECEASED, since=date(2026, 11, 1)))
    answers.append(hall.port.authenticate(hall.proof("demo")))
    assert len({msgspec.json.encode(answer) for answer in answers}) == 1
    assert answers[0] == p.Refusal(refused=RefusalReason.COUNTER)
    assert [line.facts for line in hall.audit.lines()] == [{"reason": "counter", "kiosk": hall.kiosk}] * 3


def test_a_restricted_member_closes_the_kiosk_to_the_whole_household(hall: Hall) -> None:
    hall.register.restrict("R00003")
    assert hall.refused() is RefusalReason.COUNTER


def test_the_audit_holds_no_name_and_no_token(hall: Hall) -> None:
    resident = hall.enter()
    text = str(hall.audit.lines())
    assert [line.event for line in hall.audit.lines()] == ["resident_authenticated"]
    assert resident.visit not in text
    assert "辻" not in text


def test_health_says_ready(hall: Hall) -> None:
    assert hall.port.health() == p.Health(ready=True, version="test")


def _moving(hall: Hall, resident: str) -> bool:
    shown = hall.register.show(resident)
    return shown is not None and shown.record.moving_out is not None
