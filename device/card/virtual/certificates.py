"""Builds the X.509 certificates of the TEST PKI in the profile of real cards (docs/sources.md#card-credential)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from device.card.credential import USER_AUTHENTICATION_POLICY
from device.x509_key_usage import key_usage


@dataclass(frozen=True)
class Validity:
    """From ``start`` to ``end``, both included, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Authority:
    """A CA certificate and the key to issue with."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


@dataclass(frozen=True)
class Family:
    """User authentication or signature: the two kinds of credential on one card."""

    word: str
    unit: str
    policy: x509.ObjectIdentifier
    signs_documents: bool


AUTHENTICATION = Family("auth", "TEST JPKI for user authentication", USER_AUTHENTICATION_POLICY, False)
SIGNATURE = Family("sign", "TEST JPKI for digital signature", x509.ObjectIdentifier("1.2.392.200149.8.5.1.1.20"), True)
_ORGANISATION = "TEST JPKI"
_AGENCY = "TEST Japan Agency for Local Authority Information Systems"


def authority_certificate(family: Family, key: rsa.RSAPrivateKey, validity: Validity) -> x509.Certificate:
    """A self-signed CA certificate. Every generation of a family carries the same name, as the real ones do."""
    name = _authority_name(family)
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = _builder(name, name, key.public_key(), int.from_bytes(key_id.digest[:4], "big") | 1, validity)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(key_usage(ca=True), critical=True)
    return builder.add_extension(key_id, critical=False).sign(key, hashes.SHA256())


def card_certificate(
    family: Family,
    authority: Authority,
    key: rsa.RSAPublicKey,
    *,
    serial: int,
    validity: Validity,
    municipality: str,
) -> x509.Certificate:
    """A card's certificate: four-byte serial, opaque subject with the five-digit municipality code, no name."""
    builder = _builder(_card_name(serial, municipality, family), authority.certificate.subject, key, serial, validity)
    builder = builder.add_extension(key_usage(non_repudiation=family.signs_documents), critical=True)
    if not family.signs_documents:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    policy = x509.PolicyInformation(family.policy, ["http://test.example.jp/cps.html"])
    builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=True)
    builder = builder.add_extension(x509.IssuerAlternativeName([_japanese_name(family)]), critical=False)
    builder = builder.add_extension(_distribution_point(family, municipality), critical=False)
    builder = builder.add_extension(_status_service(), critical=False)
    builder = builder.add_extension(_authority_key_id(authority), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, serial: int, validity: Validity
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(serial).not_valid_before(validity.start).not_valid_after(validity.end)


def _name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in ((NameOID.COUNTRY_NAME, "JP"), *parts)])


def _authority_name(family: Family) -> x509.Name:
    unit = NameOID.ORGANIZATIONAL_UNIT_NAME
    return _name((NameOID.ORGANIZATION_NAME, _ORGANISATION), (unit, family.unit), (unit, _AGENCY))


def _card_name(serial: int, municipality: str, family: Family) -> x509.Name:
    """ "TEST" and ten opaque characters, the municipality code and "003A": 23 characters as on real cards."""
    opaque = hashlib.sha256(f"{family.word} {serial}".encode()).hexdigest()[:10].upper()
    return _name((NameOID.COMMON_NAME, f"TEST{opaque}{municipality}003A"))


def _japanese_name(family: Family) -> x509.DirectoryName:
    parts = ((NameOID.ORGANIZATION_NAME, "TEST 公的個人認証サービス"), (NameOID.ORGANIZATIONAL_UNIT_NAME, family.unit))
    return x509.DirectoryName(_name(*parts))


def _distribution_point(family: Family, municipality: str) -> x509.CRLDistributionPoints:
    """By directoryName, as on real cards: not fetchable by URL."""
    unit = NameOID.ORGANIZATIONAL_UNIT_NAME
    name = _name(
        (NameOID.ORGANIZATION_NAME, _ORGANISATION),
        (unit, family.unit),
        (unit, "TEST CRL Distribution Points"),
        (unit, "TEST Prefecture"),
        (NameOID.COMMON_NAME, f"TEST City {municipality} CRLDP"),
    )
    point = x509.DistributionPoint([x509.DirectoryName(name)], None, None, None)
    return x509.CRLDistributionPoints([point])


def _status_service() -> x509.AuthorityInformationAccess:
    address = x509.UniformResourceIdentifier("http://ocsp.test.example.jp")
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, address)])


def _authority_key_id(authority: Authority) -> x509.AuthorityKeyIdentifier:
    """Key id, issuer name and issuer serial, all three as on real cards."""
    certificate = authority.certificate
    key_id = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    return x509.AuthorityKeyIdentifier(key_id, [x509.DirectoryName(certificate.subject)], certificate.serial_number)
