"""Which X.509 credentials are trusted, and what the refusal says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from device.card.credential import Credential, TrustStore, check_credential, identity
from device.card.virtual.pki import PLANS, TestPki, load_card_key
from device.errors import CredentialRejected, SettingsError

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def trust(pki: TestPki) -> TrustStore:
    return TrustStore.load(pki.trust)


def _rejection(der: bytes, trust: TrustStore, at: datetime = NOW) -> dict[str, object]:
    with pytest.raises(CredentialRejected) as caught:
        check_credential(der, trust, at)
    return caught.value.facts


@pytest.mark.parametrize("name", ["demo", "older"])
def test_a_card_of_any_generation_is_trusted_by_its_key_id(pki: TestPki, trust: TrustStore, name: str) -> None:
    found = check_credential(pki.credential(name), trust, NOW)
    assert (found.issuer_key, found.serial) == identity(pki.credential(name))
    assert found.serial == next(plan.serial for plan in PLANS if plan.name == name)


def test_the_generations_share_a_name_and_differ_in_key(pki: TestPki, trust: TrustStore) -> None:
    authorities = [x509.load_pem_x509_certificate(file.read_bytes()) for file in pki.trust.iterdir()]
    assert len(trust) == len(authorities) == 3
    assert len({authority.subject for authority in authorities}) == 1
    older, newer = (check_credential(pki.credential(name), trust, NOW) for name in ("older", "demo"))
    assert older.issuer_key != newer.issuer_key


def test_expired_not_yet_and_chain_are_told_apart(pki: TestPki, trust: TrustStore) -> None:
    assert _rejection(pki.credential("expired"), trust) == {"reason": "validity", "when": "expired"}
    assert _rejection(pki.credential("future"), trust) == {"reason": "validity", "when": "not_yet"}
    assert _rejection(pki.credential("unknown_ca"), trust) == {"reason": "chain"}


def test_both_ends_of_the_validity_count_as_valid_in_any_time_zone(pki: TestPki, trust: TrustStore) -> None:
    der = pki.credential("demo")
    certificate = x509.load_der_x509_certificate(der)
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    for at in (first, last, last.astimezone(timezone(timedelta(hours=9))), last + timedelta(microseconds=999_999)):
        assert check_credential(der, trust, at)
    assert _rejection(der, trust, first - timedelta(seconds=1))["when"] == "not_yet"
    assert _rejection(der, trust, last + timedelta(seconds=1))["when"] == "expired"


def test_the_signing_credential_of_the_same_card_is_no_log_in(pki: TestPki) -> None:
    authority = x509.load_der_x509_certificate((pki.cards / "demo" / "sign_ca.der").read_bytes())
    der = (pki.cards / "demo" / "sign.der").read_bytes()
    assert _rejection(der, TrustStore([authority])) == {"reason": "profile"}


def test_a_ca_certificate_is_no_credential(pki: TestPki, trust: TrustStore) -> None:
    der = (pki.cards / "demo" / "auth_ca.der").read_bytes()
    assert _rejection(der, trust)["reason"] in {"chain", "profile"}


def test_a_changed_byte_breaks_the_chain_or_the_profile(pki: TestPki, trust: TrustStore) -> None:
    der = bytearray(pki.credential("demo"))
    der[-1] ^= 1
    assert _rejection(bytes(der), trust) == {"reason": "chain"}


@given(st.binary(max_size=200))
def test_garbage_is_a_profile_refusal_and_never_a_crash(garbage: bytes) -> None:
    assert _rejection(garbage, TrustStore([]))["reason"] == "profile"


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # a flipped sign bit; the library warns before we refuse
@settings(max_examples=300)
@given(place=st.integers(0, 1500), bit=st.integers(0, 7))
def test_no_flipped_bit_is_ever_trusted(pki: TestPki, trust: TrustStore, place: int, bit: int) -> None:
    der = bytearray(pki.credential("demo"))
    der[place] ^= 1 << bit
    assert _rejection(bytes(der), trust)["reason"] in {"chain", "profile"}


def test_only_the_cards_own_signature_over_the_same_message_verifies(pki: TestPki, trust: TrustStore) -> None:
    credential = check_credential(pki.credential("demo"), trust, NOW)
    signature = load_card_key(pki.cards / "demo" / "auth.key").sign(b"nonce", padding.PKCS1v15(), hashes.SHA256())
    other = load_card_key(pki.cards / "demo2" / "auth.key").sign(b"nonce", padding.PKCS1v15(), hashes.SHA256())
    assert credential.verify(b"nonce", signature)
    assert not credential.verify(b"another", signature)
    assert not credential.verify(b"nonce", other)
    assert not credential.verify(b"nonce", b"")


def test_a_name_in_a_string_type_it_can_not_have_is_refused(pki: TestPki, trust: TrustStore) -> None:
    der = pki.credential("demo")
    attributes = [found.end() + 1 for found in re.finditer(rb"\x06\x03\x55\x04", der)]  # behind id-at: the value's type
    assert len(attributes) > 8  # issuer, subject, and the names within extensions
    for place in attributes:
        changed = der[:place] + b"\x03" + der[place + 1 :]  # BIT STRING
        assert _rejection(changed, trust)["reason"] in {"chain", "profile"}


def test_the_next_cards_elliptic_key_verifies_too() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    credential = Credential("key", 1, key.public_key())
    assert credential.verify(b"nonce", key.sign(b"nonce", ec.ECDSA(hashes.SHA384())))
    assert not credential.verify(b"nonce", key.sign(b"nonce", ec.ECDSA(hashes.SHA256())))


def test_a_credential_shows_nothing_of_itself(pki: TestPki, trust: TrustStore) -> None:
    assert repr(check_credential(pki.credential("demo"), trust, NOW)) == "Credential()"


def test_a_trust_folder_takes_pem_and_der_and_names_a_file_that_is_neither(pki: TestPki, tmp_path: Path) -> None:
    authority = x509.load_der_x509_certificate((pki.cards / "demo" / "auth_ca.der").read_bytes())
    (tmp_path / "a.cer").write_bytes(authority.public_bytes(Encoding.DER))
    (tmp_path / "b.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    assert len(TrustStore.load(tmp_path)) == 1
    (tmp_path / "c.crt").write_bytes(b"no certificate")
    with pytest.raises(SettingsError) as caught:
        TrustStore.load(tmp_path)
    assert caught.value.facts["file"] == tmp_path / "c.crt"


def test_an_empty_trust_folder_and_a_holders_certificate_in_it_are_errors(pki: TestPki, tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        TrustStore.load(tmp_path)
    (tmp_path / "card.der").write_bytes(pki.credential("demo"))
    with pytest.raises(SettingsError, match="not the certificate of a CA"):
        TrustStore.load(tmp_path)
