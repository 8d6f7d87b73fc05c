"""The city's CA: what it signs, what OpenSSL thinks of it, and how its files lie."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import DNSName
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from device.clock import JST, SystemClock
from provisioning.cityhall.boxes.authority import AuthorityFolder, fingerprint, key_hash, make_authority
from provisioning.cityhall.errors import AuthorityUnusable

NOW = datetime(2026, 4, 1, 9, tzinfo=JST)
NAMES = ["cityhall.example.jp", "192.0.2.10"]


def new_key() -> ec.EllipticCurvePublicKey:
    return ec.generate_private_key(ec.SECP256R1()).public_key()


def test_a_box_is_certified_as_a_client_and_never_as_a_server() -> None:
    authority = make_authority("TEST city", NAMES, NOW)
    issued = authority.issue_box("plaza-1", new_key(), NOW, 30)
    store = Store([authority.certificate])
    verified = PolicyBuilder().store(store).time(NOW).build_client_verifier().verify(issued, [])
    assert verified.subjects is not None
    assert [s.value for s in verified.subjects] == ["plaza-1.box.hiroba.internal"]
    with pytest.raises(VerificationError):
        PolicyBuilder().store(store).time(NOW).build_server_verifier(DNSName("plaza-1.box.hiroba.internal")).verify(
            issued, []
        )


@pytest.mark.parametrize("late", [timedelta(hours=-2), timedelta(days=30, hours=1)])
def test_a_credential_is_good_for_its_days_alone(late: timedelta) -> None:
    authority = make_authority("TEST city", NAMES, NOW)
    issued = authority.issue_box("plaza-1", new_key(), NOW, 30)
    with pytest.raises(VerificationError):
        PolicyBuilder().store(Store([authority.certificate])).time(NOW + late).build_client_verifier().verify(
            issued, []
        )


def test_the_ca_can_sign_for_its_own_names_only() -> None:
    authority = make_authority("TEST city", NAMES, NOW)
    foreign = authority.issue_server(["bank.example.com"], new_key(), NOW)
    own = authority.issue_server(NAMES, new_key(), NOW)
    policy = PolicyBuilder().store(Store([authority.certificate])).time(NOW)
    policy.build_server_verifier(DNSName("cityhall.example.jp")).verify(own, [])
    with pytest.raises(VerificationError):
        policy.build_server_verifier(DNSName("bank.example.com")).verify(foreign, [])


def test_openssl_trusts_a_service_that_is_reached_by_its_address_alone(tmp_path: Path) -> None:
    folder, now = AuthorityFolder(tmp_path / "ca"), SystemClock().now()
    certificate, key = folder.server(folder.open("TEST city", ["192.0.2.10"], now), ["192.0.2.10"], now)
    hall, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(folder.certificate))
    hall.load_cert_chain(certificate, key)
    to_hall, to_box = ssl.MemoryBIO(), ssl.MemoryBIO()
    box = trust.wrap_bio(to_box, to_hall, server_hostname="192.0.2.10")
    with pytest.raises(ssl.SSLWantReadError):
        box.do_handshake()
    with pytest.raises(ssl.SSLWantReadError):
        hall.wrap_bio(to_hall, to_box, server_side=True).do_handshake()
    box.do_handshake()
    seen = box.getpeercert(binary_form=True)
    assert seen
    assert x509.load_der_x509_certificate(seen).subject.rfc4514_string() == "CN=Hiroba city hall"


def test_the_ca_is_made_once_and_its_key_is_the_owners_alone(tmp_path: Path) -> None:
    folder = AuthorityFolder(tmp_path / "ca")
    first = folder.open("TEST city", NAMES, NOW)
    assert folder.open("TEST city", NAMES, NOW).pem == first.pem
    assert (tmp_path / "ca" / "city-ca-key.pem").stat().st_mode & 0o777 == 0o600


def test_a_ca_made_for_other_names_says_so(tmp_path: Path) -> None:
    folder = AuthorityFolder(tmp_path / "ca")
    folder.open("TEST city", NAMES, NOW)
    with pytest.raises(AuthorityUnusable, match=r"other names than new\.example\.jp"):
        folder.open("TEST city", ["new.example.jp"], NOW)


def test_a_damaged_or_foreign_key_is_not_used(tmp_path: Path) -> None:
    folder = AuthorityFolder(tmp_path / "ca")
    folder.open("TEST city", NAMES, NOW)
    other = AuthorityFolder(tmp_path / "other")
    other.open("TEST city", NAMES, NOW)
    key_file = tmp_path / "ca" / "city-ca-key.pem"
    for content in (b"not a key", (tmp_path / "other" / "city-ca-key.pem").read_bytes()):
        key_file.write_bytes(content)
        with pytest.raises(AuthorityUnusable):
            folder.open("TEST city", NAMES, NOW)


def test_the_services_own_credential_is_renewed_before_its_end_and_for_new_names(tmp_path: Path) -> None:
    folder = AuthorityFolder(tmp_path / "ca")
    authority = folder.open("TEST city", NAMES, NOW)

    def serial(names: list[str], now: datetime) -> int:
        certificate, _key = folder.server(authority, names, now)
        return x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number

    first = serial(NAMES, NOW)
    assert serial(NAMES, NOW + timedelta(days=300)) == first
    assert serial(NAMES, NOW + timedelta(days=370)) != first
    assert serial(NAMES[:1], NOW) != serial(NAMES, NOW)


def test_a_fingerprint_is_short_enough_to_compare_by_eye() -> None:
    shown = fingerprint(key_hash(new_key()))
    assert [len(group) for group in shown.split("-")] == [4] * 5
