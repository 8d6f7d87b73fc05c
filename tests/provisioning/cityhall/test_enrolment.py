"""Enrolment by code and key: who is let in, who is known again, who is cut off."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from provisioning.cityhall.boxes.authority import Peer, peer_of
from provisioning.cityhall.boxes.enrolment import Refused
from provisioning.cityhall.tables import Box, Enrolment
from tests.provisioning.cityhall.conftest import Hall


def peer(enrolment: Enrolment) -> Peer:
    der = x509.load_pem_x509_certificate(enrolment.certificate.encode()).public_bytes(Encoding.DER)
    found = peer_of(der)
    assert found is not None
    return found


def admitted(hall: Hall, enrolment: Enrolment) -> str:
    answer = hall.service.enrolments.admit(peer(enrolment))
    return answer.name if isinstance(answer, Box) else answer.reason


def test_a_new_box_waits_for_staff_and_then_gets_its_credential(hall: Hall) -> None:
    asked = hall.ask("plaza-1", hall.code("plaza-1"))
    assert (asked.kind, asked.state, asked.certificate) == ("new", "pending", "")
    assert hall.service.enrolments.approve(asked.id, "hanako")
    answer = hall.service.enrolments.state(asked.id)
    assert isinstance(answer, Enrolment)
    assert hall.box("plaza-1").keep(answer.certificate).box == "plaza-1"
    assert admitted(hall, answer) == "plaza-1"
    assert not hall.service.enrolments.decline(asked.id, "hanako")  # decided is decided


def test_a_declined_box_is_nobody(hall: Hall) -> None:
    asked = hall.ask("plaza-1", hall.code("plaza-1"))
    assert hall.service.enrolments.decline(asked.id, "hanako")
    assert hall.service.records.box("plaza-1") is None
    assert hall.refused("plaza-1", "") == "code_needed"


def test_a_wrong_used_or_expired_code_opens_nothing(hall: Hall) -> None:
    assert hall.refused("plaza-1", "0000-0000-0000-0000") == "code_unknown"
    code = hall.code("plaza-1")
    hall.ask("plaza-1", code)
    assert hall.refused("plaza-1", code, hall.box("thief")) == "code_used"
    late = hall.code("plaza-2")
    hall.clock.advance(hall.settings.code_days * 86400)
    assert hall.refused("plaza-2", late) == "code_expired"


def test_a_sheet_in_the_wrong_box_spends_no_code_and_waits_for_nobody(hall: Hall) -> None:
    code = hall.code("plaza-2")
    assert hall.refused("plaza-1", code) == "other_name"
    assert list(hall.service.records.pending()) == []
    assert hall.ask("plaza-2", code).state == "pending"


def test_a_code_is_good_however_it_is_typed(hall: Hall) -> None:
    code = hall.code("plaza-1")
    typed = f" {code.lower().replace('-', '').replace('0', 'o').replace('1', 'l')} "
    assert hall.ask("plaza-1", typed).state == "pending"


def test_a_newer_code_ends_the_older_one(hall: Hall) -> None:
    older = hall.code("plaza-1")
    hall.code("plaza-1")
    assert hall.refused("plaza-1", older) == "code_expired"


def test_a_box_whose_answer_was_lost_asks_again_and_is_the_same(hall: Hall) -> None:
    code = hall.code("plaza-1")
    assert hall.ask("plaza-1", code).id == hall.ask("plaza-1", code).id
    assert len(hall.service.records.pending()) == 1


def test_the_same_key_after_reflashing_is_the_same_box_without_staff(hall: Hall) -> None:
    before = hall.enrolled("plaza-1")
    again = hall.ask("plaza-1", hall.code("plaza-1"))
    assert (again.kind, again.state) == ("recognised", "approved")
    assert admitted(hall, again) == "plaza-1"
    assert peer(again).serial != peer(before).serial


def test_another_key_under_a_known_name_waits_for_staff_and_ends_the_old_one(hall: Hall) -> None:
    before = hall.enrolled("plaza-1")
    asked = hall.ask("plaza-1", hall.code("plaza-1"), hall.box("new hardware"))
    assert (asked.kind, asked.state) == ("replacing", "pending")
    assert admitted(hall, before) == "plaza-1"
    hall.service.enrolments.approve(asked.id, "hanako")
    assert admitted(hall, before) == "key_differs"


def test_a_known_key_under_another_name_moves_only_when_staff_say_so(hall: Hall) -> None:
    before = hall.enrolled("plaza-1")
    asked = hall.ask("plaza-2", hall.code("plaza-2"), hall.box("plaza-1"))
    assert (asked.kind, asked.state) == ("renamed", "pending")
    hall.service.enrolments.approve(asked.id, "hanako")
    assert admitted(hall, before) == "box_unknown"
    assert [b.name for b in hall.service.records.boxes()] == ["plaza-2"]


def test_a_revoked_box_is_cut_off_at_once_and_comes_back_only_with_a_new_key(hall: Hall) -> None:
    before = hall.enrolled("plaza-1")
    assert hall.service.enrolments.revoke("plaza-1", "hanako")
    assert admitted(hall, before) == "box_revoked"
    assert hall.service.enrolments.admitted() == {}
    assert hall.refused("plaza-1", "") == "box_revoked"
    assert hall.refused("plaza-1", hall.code("plaza-1")) == "box_revoked"
    asked = hall.ask("plaza-1", hall.code("plaza-1"), hall.box("fresh key"))
    hall.service.enrolments.approve(asked.id, "hanako")
    assert admitted(hall, before) == "key_differs"
    assert not hall.service.enrolments.revoke("nobody", "hanako")


def test_a_box_that_was_off_for_months_asks_without_a_code_and_staff_decide(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    hall.clock.advance(90 * 86400)
    asked = hall.ask("plaza-1", "")
    assert (asked.kind, asked.state) == ("returning", "pending")
    assert hall.ask("plaza-1", "").id == asked.id


def test_renewal_is_for_the_same_key_only(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    hall.clock.advance(20 * 86400)
    fresh = hall.service.enrolments.renew("plaza-1", hall.box("plaza-1").request("plaza-1"))
    assert isinstance(fresh, str)
    assert hall.box("plaza-1").keep(fresh).days_left(hall.clock.now()) == hall.settings.box_certificate_days
    assert hall.service.enrolments.renew("plaza-1", hall.box("other").request("plaza-1")) == Refused("key_differs")
    hall.service.enrolments.revoke("plaza-1", "hanako")
    assert isinstance(hall.service.enrolments.renew("plaza-1", hall.box("plaza-1").request("plaza-1")), Refused)


def test_a_request_that_is_not_a_p256_proof_of_possession_is_malformed(small_hall: Hall) -> None:
    enrolments, code = small_hall.service.enrolments, small_hall.code("plaza-1")
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "plaza-1")])
    other = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    for request in ("", "-----BEGIN CERTIFICATE REQUEST-----", "漢字", other.public_bytes(Encoding.PEM).decode()):
        assert enrolments.ask(code, request) == Refused("request_malformed")


def test_every_decision_is_on_record(small_hall: Hall) -> None:
    small_hall.enrolled("plaza-1")
    small_hall.service.enrolments.revoke("plaza-1", "taro")
    told = [(d.staff, d.action, d.box) for d in small_hall.service.records.staff_actions("plaza-1")]
    assert told == [
        ("taro", "revoked", "plaza-1"),
        ("hanako", "approved", "plaza-1"),
        ("jiro", "code_made", "plaza-1"),
    ]
