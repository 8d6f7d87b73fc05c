"""A card that is lost, replaced or unlinked, at an issuer with a responder: from the kiosk's first message on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from device.audit import Audit
from device.card.credential import identity
from device.card.virtual.pki import TestPki
from device.clock import JST, HeldClock
from device.store import Store
from kiosk.issuer import protocol as p
from kiosk.issuer.protocol import RefusalReason
from kiosk.issuer.register.act import Act
from kiosk.issuer.register.audited_register import AuditedRegister
from kiosk.issuer.register.link_checks import LinkCandidate
from kiosk.issuer.register.register import REGISTER_MIGRATIONS, Register
from kiosk.issuer.register.synthetic_people import population
from kiosk.issuer.settings import IssuerSettings, RevocationSettings
from kiosk.issuer.wiring import LEDGER_FILE, LEDGER_MIGRATIONS, build_service
from kiosk.settings import CitySettings
from tests.attacks.ocsp_responder import OcspResponder
from tests.kiosk.issuer.conftest import KIOSK, Hall

pytestmark = pytest.mark.needs("ipamj")
NOON = datetime(2026, 11, 30, 12, tzinfo=JST)
STAFF = Act(by="s-1001", account="uid-0", proven=True, reason="受付 12")
RESIDENT = "R00001"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    made = TestPki(tmp_path_factory.mktemp("pki"))
    made.ensure(["demo", "demo2"])
    return made


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(NOON)


@pytest.fixture
def responder(pki: TestPki, clock: HeldClock) -> Iterator[OcspResponder]:
    with OcspResponder(pki, clock=clock) as running:
        yield running


@pytest.fixture
def staff(tmp_path: Path, pki: TestPki, clock: HeldClock) -> AuditedRegister:
    made = AuditedRegister(Store(tmp_path / "issuer/register.db", REGISTER_MIGRATIONS), clock)
    made.import_population(STAFF, population())
    made.link(STAFF, card(pki, "demo"), RESIDENT)
    return made


def card(pki: TestPki, name: str) -> LinkCandidate:
    return LinkCandidate(*identity(pki.credential(name)), datetime(2030, 1, 1, tzinfo=JST))


@pytest.fixture
def hall(tmp_path: Path, pki: TestPki, clock: HeldClock, responder: OcspResponder, staff: AuditedRegister) -> Hall:
    settings = IssuerSettings(
        mayor="試験市長　見本　太郎",
        municipality_code="27999",
        trust=str(pki.trust),
        revocation=RevocationSettings(ocsp=responder.url, ocsp_seconds=1.0),
    )
    city = CitySettings(name_ja="試験市", name_en="TEST", telephone="06-0000-0000")
    port = build_service(settings, city, tmp_path, clock)
    ledger = Store(tmp_path / "issuer" / LEDGER_FILE, LEDGER_MIGRATIONS)
    register = Register(Store(tmp_path / "issuer/register.db", REGISTER_MIGRATIONS))
    here, other = port.for_kiosk(KIOSK), port.for_kiosk("kiosk-other")
    return Hall(here, register, ledger, Audit(ledger, clock), clock, pki, other)


def test_a_good_card_enters(hall: Hall) -> None:
    hall.enter()


def test_a_card_that_was_revoked_at_its_issuer_does_not_enter(hall: Hall, responder: OcspResponder) -> None:
    responder.mode = "revoked"
    assert hall.refused() is RefusalReason.CREDENTIAL_EXPIRED


@pytest.mark.parametrize("mode", ["closed", "wrong_signer", "stale", "unknown"])
def test_nobody_enters_by_no_word_or_a_false_one_and_the_audit_says_so(
    hall: Hall, responder: OcspResponder, mode: str
) -> None:
    responder.mode = mode
    assert hall.refused() is RefusalReason.CREDENTIAL_UNKNOWN
    assert ("revocation_unavailable", {"outcome": "refused"}) in [(x.event, x.facts) for x in hall.audit.lines()]


def test_the_responder_is_asked_only_about_a_card_that_signed(hall: Hall, responder: OcspResponder) -> None:
    proof = hall.proof()
    hall.port.authenticate(msgspec.structs.replace(proof, signature=b"\0" * 256))
    assert responder.asked == 0


def test_a_card_that_is_revoked_in_the_middle_of_a_visit_gets_no_paper(
    hall: Hall, staff: AuditedRegister, pki: TestPki
) -> None:
    content = hall.content(hall_visit := hall.enter(), 1)
    staff.revoke(STAFF, staff.keys.credential(*identity(pki.credential("demo"))))
    answer = hall.port.order(hall.signed(hall_visit.visit, content))
    assert answer == p.Refusal(refused=RefusalReason.CREDENTIAL_EXPIRED)


@pytest.mark.parametrize("how", ["unlinked", "replaced"])
def test_nor_does_one_that_is_nobody_s_any_more(hall: Hall, staff: AuditedRegister, pki: TestPki, how: str) -> None:
    visit = hall.enter()
    quote = hall.port.order(hall.signed(visit.visit, content := hall.content(visit, 1)))
    assert isinstance(quote, p.Quote)
    if how == "unlinked":
        staff.unlink(STAFF, staff.keys.credential(*identity(pki.credential("demo"))))
    else:
        staff.link(STAFF, card(pki, "demo2"), RESIDENT)
    answer = hall.port.document(content.request, p.DocumentRequest(visit=visit.visit))
    assert answer == p.Refusal(refused=RefusalReason.COUNTER)


def test_of_two_cards_of_one_person_the_former_does_not_enter(hall: Hall, staff: AuditedRegister, pki: TestPki) -> None:
    staff.link(STAFF, card(pki, "demo2"), RESIDENT)
    hall.enter("demo2")
    assert hall.refused("demo") is RefusalReason.NOT_RESIDENT
