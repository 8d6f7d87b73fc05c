"""The TEST PKI: profile, names, file rights, made only once."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from device.card.virtual.pki import PLANS, TestPki


def test_every_name_says_test(pki: TestPki) -> None:
    for file in pki.folder.rglob("*.der"):
        certificate = x509.load_der_x509_certificate(file.read_bytes())
        for name in (certificate.subject, certificate.issuer):
            assert "TEST" in name.rfc4514_string()


def test_a_card_is_as_large_as_a_real_one_and_has_a_four_byte_serial(pki: TestPki) -> None:
    for plan in PLANS:
        assert 1500 < len(pki.credential(plan.name)) <= 1600
        assert plan.serial.bit_length() in range(25, 33)


def test_the_subject_is_opaque_and_ends_in_the_municipality_code(pki: TestPki) -> None:
    certificate = x509.load_der_x509_certificate(pki.credential("demo"))
    (name,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert len(str(name.value)) == 23
    assert str(name.value).endswith("27999003A")


def test_keys_are_for_the_owner_alone(pki: TestPki) -> None:
    keys = list(pki.folder.rglob("*.key"))
    assert keys
    assert {file.stat().st_mode & 0o777 for file in keys} == {0o600}


def test_what_is_there_is_not_made_again(pki: TestPki) -> None:
    before = {file: file.read_bytes() for file in pki.folder.rglob("*.der")}
    pki.ensure()
    assert {file: file.read_bytes() for file in pki.folder.rglob("*.der")} == before


def test_nobody_trusts_the_unknown_ca_or_the_signing_ca(pki: TestPki) -> None:
    trusted = [x509.load_pem_x509_certificate(file.read_bytes()) for file in pki.trust.iterdir()]
    for name in ("sign_ca.der", "../unknown_ca/auth_ca.der"):
        stranger = (pki.cards / "demo" / name).read_bytes()
        assert stranger not in [authority.public_bytes(Encoding.DER) for authority in trusted]
