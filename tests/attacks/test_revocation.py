"""A revoked card opens nothing, whatever a responder, a list or a silent line says: real sockets, real files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from device.card.credential import TrustStore, identity
from device.card.virtual.pki import TestPki
from device.clock import JST, HeldClock
from kiosk.issuer.revocation.verdict import RevocationPort, Verdict
from kiosk.issuer.revocation.wiring import build_revocation
from kiosk.issuer.settings import RevocationSettings
from tests.attacks.ocsp_responder import FORGED_MODES, SILENT_MODES, OcspResponder
from tests.attacks.revocation_lists import HOUR, distribution_point, make_list

NOON = datetime(2026, 11, 30, 12, tzinfo=JST)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    made = TestPki(tmp_path_factory.mktemp("pki"))
    made.ensure(["demo", "demo2", "older", "unknown_ca"])
    return made


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(NOON)


@pytest.fixture
def responder(pki: TestPki, clock: HeldClock) -> Iterator[OcspResponder]:
    with OcspResponder(pki, clock=clock) as running:
        yield running


class City:
    """An issuer's port for revocation, over the folder ``crl`` and a responder. ``restart`` as a new process would."""

    def __init__(self, folder: Path, pki: TestPki, clock: HeldClock) -> None:
        self._folder, self._pki, self._clock = folder, pki, clock
        self._settings = RevocationSettings()
        self.port: RevocationPort
        (folder / "crl").mkdir()

    def use(self, *, crl: bool = False, ocsp: str = "", **told: object) -> None:
        settings = {"crl": "crl" if crl else "", "ocsp": ocsp, "ocsp_seconds": 1.0, **told}
        self._settings = RevocationSettings(**settings)  # type: ignore[arg-type]
        self.restart()

    def restart(self) -> None:
        trust = TrustStore.load(self._pki.trust)
        self.port = build_revocation(self._settings, self._folder, self._folder, trust, self._clock)

    def lay(self, content: bytes, name: str = "auth.crl") -> None:
        """The city's feed lays a list, as a file with another size or time."""
        (self._folder / "crl" / name).write_bytes(content)
        self._clock.advance(3)

    def says(self, card: str = "demo") -> Verdict:
        return self.port.verdict(*identity(self._pki.credential(card)))


@pytest.fixture
def city(tmp_path: Path, pki: TestPki, clock: HeldClock) -> City:
    return City(tmp_path, pki, clock)


def serial(pki: TestPki, card: str = "demo") -> int:
    return identity(pki.credential(card))[1]


# ---- the responder


@pytest.mark.parametrize("method", ["post", "get"])
def test_a_card_of_which_the_responder_says_good_is_served(city: City, responder: OcspResponder, method: str) -> None:
    city.use(ocsp=responder.url, ocsp_method=method)
    assert city.says() is Verdict.GOOD


@pytest.mark.parametrize("mode", ["delegate", "no_nonce", "without_length"])
def test_so_is_one_by_a_delegate_without_a_nonce_or_without_a_length(
    city: City, responder: OcspResponder, mode: str
) -> None:
    responder.mode = mode
    city.use(ocsp=responder.url)
    assert city.says() is Verdict.GOOD


def test_a_revoked_card_is_refused_and_stays_so_when_the_responder_changes_its_mind(
    city: City, responder: OcspResponder
) -> None:
    responder.mode = "revoked"
    city.use(ocsp=responder.url, grace_hours=100)
    assert city.says() is Verdict.REVOKED
    responder.mode = "good"
    assert city.says() is Verdict.REVOKED


def test_a_card_that_the_responder_does_not_know_is_refused(city: City, responder: OcspResponder) -> None:
    responder.mode = "unknown"
    city.use(ocsp=responder.url, grace_hours=100)
    assert city.says() is Verdict.UNAVAILABLE


@pytest.mark.parametrize("mode", [*FORGED_MODES, *SILENT_MODES])
def test_an_answer_that_is_forged_old_another_s_or_none_lets_nobody_in(
    city: City, responder: OcspResponder, mode: str
) -> None:
    responder.mode = mode
    city.use(ocsp=responder.url)
    assert city.says() is Verdict.UNAVAILABLE


def test_where_a_nonce_is_required_an_answer_without_it_is_none(city: City, responder: OcspResponder) -> None:
    responder.mode = "no_nonce"
    city.use(ocsp=responder.url, ocsp_nonce="required")
    assert city.says() is Verdict.UNAVAILABLE


def test_an_answer_is_remembered_for_the_visit_and_asked_for_anew_after_it(
    city: City, responder: OcspResponder, clock: HeldClock
) -> None:
    city.use(ocsp=responder.url)
    assert [city.says() for _ in range(3)] == [Verdict.GOOD] * 3
    assert responder.asked == 1
    clock.advance(601)
    responder.mode = "revoked"
    assert city.says() is Verdict.REVOKED


def test_a_responder_that_is_down_makes_nobody_wait_at_each_step(city: City, responder: OcspResponder) -> None:
    responder.mode = "late"
    city.use(ocsp=responder.url)
    assert {city.says(), city.says("demo2"), city.says()} == {Verdict.UNAVAILABLE}
    assert responder.asked == 1


# ---- the grace


def test_without_a_grace_a_silent_responder_closes_the_kiosk(city: City, responder: OcspResponder) -> None:
    city.use(ocsp=responder.url)
    assert city.says() is Verdict.GOOD
    responder.close()
    assert city.says("demo2") is Verdict.UNAVAILABLE


def test_within_the_grace_others_are_served_also_after_a_restart_and_not_beyond(
    city: City, responder: OcspResponder, clock: HeldClock
) -> None:
    city.use(ocsp=responder.url, fresh_hours=24, grace_hours=48)
    city.says()
    responder.close()
    city.restart()
    clock.advance(71 * 3600)
    assert city.says("demo2") is Verdict.GRACE
    clock.advance(2 * 3600)
    assert city.says("demo2") is Verdict.UNAVAILABLE


def test_a_responder_that_never_answered_gives_no_grace(city: City, responder: OcspResponder) -> None:
    responder.mode = "wrong_signer"
    city.use(ocsp=responder.url, grace_hours=48)
    assert city.says() is Verdict.UNAVAILABLE


def test_the_grace_is_for_nobody_who_is_known_as_revoked(
    city: City, pki: TestPki, responder: OcspResponder, clock: HeldClock
) -> None:
    city.use(crl=True, ocsp=responder.url, grace_hours=48)
    city.lay(make_list(pki, NOON, [serial(pki)]))
    responder.close()
    clock.advance(30 * 3600)
    assert (city.says(), city.says("demo2")) == (Verdict.REVOKED, Verdict.GRACE)


# ---- lists


def test_a_list_lets_in_who_is_not_on_it(city: City, pki: TestPki) -> None:
    city.use(crl=True)
    city.lay(make_list(pki, NOON, [serial(pki)]))
    assert (city.says(), city.says("demo2")) == (Verdict.REVOKED, Verdict.GOOD)


def test_a_list_says_nothing_of_another_generation_s_cards(city: City, pki: TestPki) -> None:
    city.use(crl=True)
    city.lay(make_list(pki, NOON))
    assert city.says("older") is Verdict.UNAVAILABLE
    city.lay(make_list(pki, NOON, signer="auth-1", named="auth-1"), "older.crl")
    assert (city.says("older"), city.says()) == (Verdict.GOOD, Verdict.GOOD)


def test_no_list_at_all_lets_nobody_in(city: City) -> None:
    city.use(crl=True, grace_hours=48)
    assert city.says() is Verdict.UNAVAILABLE


def test_a_pipe_among_the_lists_holds_nobody_up(city: City, pki: TestPki, tmp_path: Path) -> None:
    city.use(crl=True)
    os.mkfifo(tmp_path / "crl" / "a.crl")
    city.lay(make_list(pki, NOON))
    assert city.says() is Verdict.GOOD


def test_a_stale_list_lets_nobody_in(city: City, pki: TestPki, clock: HeldClock) -> None:
    city.use(crl=True)
    city.lay(make_list(pki, NOON))
    clock.advance(24 * 3600)
    assert city.says() is Verdict.UNAVAILABLE


def test_a_list_that_the_city_holds_for_too_old_lets_nobody_in(city: City, pki: TestPki, clock: HeldClock) -> None:
    city.use(crl=True, fresh_hours=6)
    city.lay(make_list(pki, NOON, life=100 * HOUR))
    assert city.says() is Verdict.GOOD
    clock.advance(7 * 3600)
    assert city.says() is Verdict.UNAVAILABLE


Forged = Callable[[TestPki], bytes]
FORGED: dict[str, Forged] = {
    "by another key": lambda pki: make_list(pki, NOON, signer="auth-unknown"),
    "of an unknown authority": lambda pki: make_list(pki, NOON, signer="auth-unknown", named="auth-unknown"),
    "of another generation": lambda pki: make_list(pki, NOON, signer="auth-1"),
    "changed": lambda pki: make_list(pki, NOON, [5])[:-100] + b"\0" * 100,
    "cut off": lambda pki: make_list(pki, NOON)[:-10],
    "from the future": lambda pki: make_list(pki, NOON + 2 * HOUR),
    "indirect": lambda pki: make_list(pki, NOON, extra=distribution_point(indirect_crl=True)),
    "of authorities alone": lambda pki: make_list(pki, NOON, extra=distribution_point(only_contains_ca_certs=True)),
    "of some reasons": lambda pki: make_list(
        pki, NOON, extra=distribution_point(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}))
    ),
    "of one place": lambda pki: make_list(
        pki, NOON, extra=distribution_point(full_name=[x509.UniformResourceIdentifier("http://test.example.jp/1")])
    ),
    "a delta": lambda pki: make_list(pki, NOON, number=9, extra=x509.DeltaCRLIndicator(1)),
    "with a critical extension": lambda pki: make_list(
        pki, NOON, extra=x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0")
    ),
    "empty": lambda _pki: b"",
}


@pytest.mark.parametrize("what", FORGED)
def test_a_list_that_is_forged_or_not_whole_lets_nobody_in(city: City, pki: TestPki, what: str) -> None:
    city.use(crl=True, grace_hours=48)
    city.lay(FORGED[what](pki))
    assert city.says("demo2") is Verdict.UNAVAILABLE


@pytest.mark.parametrize("what", FORGED)
def test_and_takes_nothing_away_from_the_list_before(city: City, pki: TestPki, what: str) -> None:
    city.use(crl=True)
    city.lay(make_list(pki, NOON - HOUR, [serial(pki)]))
    assert city.says() is Verdict.REVOKED
    city.lay(FORGED[what](pki))
    assert (city.says(), city.says("demo2")) == (Verdict.REVOKED, Verdict.GOOD)


@pytest.mark.parametrize(("older", "number"), [(timedelta(hours=-1), 2), (timedelta(0), 1), (timedelta(hours=1), 1)])
def test_an_older_list_in_its_place_frees_nobody_also_after_a_restart(
    city: City, pki: TestPki, older: timedelta, number: int
) -> None:
    city.use(crl=True)
    city.lay(make_list(pki, NOON - 2 * HOUR, [serial(pki)], number=2))
    assert city.says() is Verdict.REVOKED
    if older or number < 2:
        city.lay(make_list(pki, NOON - 2 * HOUR + older, number=number))
    assert city.says() is Verdict.REVOKED
    city.restart()
    assert city.says() is Verdict.UNAVAILABLE


def test_a_newer_list_takes_its_place(city: City, pki: TestPki) -> None:
    city.use(crl=True)
    city.lay(make_list(pki, NOON - HOUR))
    assert city.says() is Verdict.GOOD
    city.lay(make_list(pki, NOON, [serial(pki)], number=2))
    assert city.says() is Verdict.REVOKED


def test_a_whole_list_that_says_it_is_of_users_alone_is_whole(city: City, pki: TestPki) -> None:
    city.use(crl=True)
    city.lay(make_list(pki, NOON, extra=distribution_point(only_contains_user_certs=True)))
    assert city.says() is Verdict.GOOD


# ---- both


def test_a_fresh_list_stands_in_for_a_silent_responder_and_not_for_one_that_says_no(
    city: City, pki: TestPki, responder: OcspResponder
) -> None:
    city.use(crl=True, ocsp=responder.url)
    city.lay(make_list(pki, NOON))
    responder.mode = "unsigned"
    assert city.says() is Verdict.GOOD
    responder.mode = "revoked"
    assert city.says() is Verdict.REVOKED


def test_a_list_s_revoked_needs_no_question(city: City, pki: TestPki, responder: OcspResponder) -> None:
    city.use(crl=True, ocsp=responder.url)
    city.lay(make_list(pki, NOON, [serial(pki)]))
    assert city.says() is Verdict.REVOKED
    assert responder.asked == 0
