"""The doctor about revocation: loud where nobody is asked, and as the issuer sees lists and responder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from device.card.virtual.pki import TestPki
from device.clock import JST, HeldClock
from device.health.finding import Finding, Severity
from kiosk.issuer.settings import IssuerSettings, RevocationSettings
from provisioning.doctor.checks import register_operators, revocation
from provisioning.doctor.examined_box import ExaminedBox
from provisioning.site.reading import read_site
from tests.attacks.ocsp_responder import OcspResponder
from tests.attacks.revocation_lists import HOUR, make_list

NOON = datetime(2026, 11, 30, 12, tzinfo=JST)
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    made = TestPki(tmp_path_factory.mktemp("pki"))
    made.ensure(["demo", "older"])
    return made


def box(state: Path, pki: TestPki, **told: object) -> ExaminedBox:
    issuer = IssuerSettings(
        mayor="試験市長",
        municipality_code="27999",
        trust=str(pki.trust),
        revocation=RevocationSettings(**told),  # type: ignore[arg-type]
    )
    site = msgspec.structs.replace(read_site(ROOT / "tests/boot/site.toml"), issuer=issuer)
    return ExaminedBox(site, state, HeldClock(NOON), None)


def codes(found: list[Finding]) -> list[str]:
    return [finding.code.removeprefix("revocation.") for finding in found]


def test_where_nobody_is_asked_it_warns(tmp_path: Path, pki: TestPki) -> None:
    (found,) = revocation.check(box(tmp_path, pki))
    assert (found.code, found.severity) == ("revocation.none", Severity.WARNING)


def test_each_authority_in_force_needs_a_fresh_list(tmp_path: Path, pki: TestPki) -> None:
    (tmp_path / "crl").mkdir()
    (tmp_path / "crl/new.crl").write_bytes(make_list(pki, NOON - HOUR))
    (tmp_path / "crl/old.crl").write_bytes(make_list(pki, NOON - 30 * HOUR, signer="auth-1", named="auth-1"))
    found = revocation.check(box(tmp_path, pki, crl="crl"))
    assert sorted(codes(found)) == ["list_fresh", "list_stale"]


def test_a_missing_and_a_refused_list_are_told(tmp_path: Path, pki: TestPki) -> None:
    (tmp_path / "crl").mkdir()
    (tmp_path / "crl/forged.crl").write_bytes(make_list(pki, NOON, signer="auth-1"))
    found = revocation.check(box(tmp_path, pki, crl="crl"))
    assert sorted(codes(found)) == ["list_missing", "list_missing", "list_refused"]
    assert found[-1].facts == {"file": "forged.crl", "reason": "signature"}


def test_the_doctor_writes_nothing(tmp_path: Path, pki: TestPki) -> None:
    (tmp_path / "crl").mkdir()
    (tmp_path / "crl/new.crl").write_bytes(make_list(pki, NOON - HOUR))
    revocation.check(box(tmp_path, pki, crl="crl"))
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["new.crl"]


@pytest.mark.parametrize(("mode", "code"), [("good", "responder_answers"), ("unsigned", "responder_silent")])
def test_the_responder_is_asked_about_nobody_s_card(tmp_path: Path, pki: TestPki, mode: str, code: str) -> None:
    with OcspResponder(pki, mode, HeldClock(NOON)) as responder:
        assert codes(revocation.check(box(tmp_path, pki, ocsp=responder.url))) == [code]


def test_a_grace_that_is_set_is_told_until_it_is_taken_back(tmp_path: Path, pki: TestPki) -> None:
    with OcspResponder(pki, "good", HeldClock(NOON)) as responder:
        assert codes(revocation.check(box(tmp_path, pki, ocsp=responder.url, grace_hours=48)))[-1] == "grace"


def test_a_folder_without_authorities_is_told(tmp_path: Path, pki: TestPki) -> None:
    empty = TestPki(tmp_path / "none")
    assert codes(revocation.check(box(tmp_path, empty, crl="crl"))) == ["no_trust"]


def test_two_operators_are_needed(tmp_path: Path, pki: TestPki) -> None:
    assert register_operators.check(box(tmp_path, pki))[0].severity is Severity.WARNING
    assert register_operators.judge(2).severity is Severity.OK
