"""Why an answer is not believed, and that nothing which a stranger sends breaks the reader."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from device.card.credential import TrustStore, identity
from device.card.virtual.pki import TestPki
from device.clock import JST, HeldClock
from kiosk.issuer.revocation.ocsp_messages import Answer, AnswerRefused, Question, read_answer
from kiosk.issuer.revocation.verdict import Status
from tests.attacks.ocsp_responder import OcspResponder

NOON = datetime(2026, 11, 30, 12, tzinfo=JST)
FRESH = timedelta(hours=24)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    made = TestPki(tmp_path_factory.mktemp("pki"))
    made.ensure(["demo", "unknown_ca"])
    return made


@pytest.fixture(scope="module")
def question(pki: TestPki) -> Question:
    issuer_key, serial = identity(pki.credential("demo"))
    authority = TrustStore.load(pki.trust).authority(issuer_key)
    assert authority is not None
    return Question(authority, serial, b"n" * 32)


def answer(pki: TestPki, question: Question, mode: str) -> bytes:
    responder = OcspResponder(pki, mode, HeldClock(NOON))
    try:
        return responder.response(ocsp.load_der_ocsp_request(question.encoded()))
    finally:
        responder.close()


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("unsigned", "signature"),
        ("wrong_signer", "signature"),
        ("other_generation", "signature"),
        ("card_signs", "signer"),
        ("delegate_for_nothing", "signer"),
        ("delegate_expired", "signer"),
        ("wrong_serial", "serial"),
        ("stale", "stale"),
        ("future", "future"),
        ("other_nonce", "nonce"),
        ("try_later", "status"),
    ],
)
def test_each_lie_is_told_by_what_it_is(pki: TestPki, question: Question, mode: str, reason: str) -> None:
    with pytest.raises(AnswerRefused) as told:
        read_answer(answer(pki, question, mode), question, NOON, FRESH)
    assert told.value.facts["reason"] == reason


@pytest.mark.parametrize(
    ("mode", "status"), [("good", Status.GOOD), ("revoked", Status.REVOKED), ("unknown", Status.UNKNOWN)]
)
def test_what_is_signed_and_fresh_is_believed(pki: TestPki, question: Question, mode: str, status: Status) -> None:
    assert read_answer(answer(pki, question, mode), question, NOON, FRESH).status is status


def test_a_word_holds_no_longer_than_the_city_allows(pki: TestPki, question: Question) -> None:
    content = answer(pki, question, "good")
    assert read_answer(content, question, NOON, timedelta(hours=1)).good_until < NOON + timedelta(hours=1)
    with pytest.raises(AnswerRefused, match="stale"):
        read_answer(content, question, NOON + timedelta(hours=1), timedelta(hours=1))


def test_the_serial_shows_in_no_error_and_no_repr(question: Question) -> None:
    assert str(question.serial) not in repr(question)
    assert "nnnn" not in repr(question)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else(question: Question, content: bytes) -> None:
    with pytest.raises(AnswerRefused):
        read_answer(content, question, NOON, FRESH)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_an_answer_that_was_changed_anywhere_says_the_same_or_nothing(
    signed: tuple[Question, bytes, Answer], place: int, flipped: int
) -> None:
    question, content, expected = signed
    changed = bytearray(content)
    changed[place % len(changed)] ^= flipped
    try:
        found = read_answer(bytes(changed), question, NOON, FRESH)
    except AnswerRefused:
        return
    assert found == expected


@pytest.fixture(scope="module")
def signed(pki: TestPki, question: Question) -> tuple[Question, bytes, Answer]:
    content = answer(pki, question, "revoked")
    return question, content, read_answer(content, question, NOON, FRESH)
