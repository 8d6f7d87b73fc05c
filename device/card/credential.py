"""Checks an X.509 user-authentication credential against a trust store of several CA generations.

The CAs of the JPKI carry the same name in every generation, so the issuing one is found by key id, never by name
(docs/sources.md#card-authorities). Runs at the issuer, which trusts nothing the kiosk says about a card. Revocation is
not asked here: that needs J-LIS (docs/sources.md#card-revocation).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from device.errors import CredentialRejected, SettingsError

USER_AUTHENTICATION_POLICY = x509.ObjectIdentifier("1.2.392.200149.8.5.1.3.30")
"""Policy of the user-authentication credential on a card (docs/sources.md#card-credential)."""

_CERTIFICATE_SUFFIXES = frozenset({".pem", ".cer", ".crt", ".der"})
_MIN_RSA_BITS = 2048
_MALFORMED = (
    TypeError,  # an attribute of a name in a string type that it cannot have
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What a parser says to bytes that are no such certificate."""
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True)
class Credential:
    """A checked credential. ``issuer_key``: key id of the issuing CA in hex, stable for that CA generation; together
    with ``serial`` it names one credential. Neither shows in its repr (N3).
    """

    issuer_key: str = field(repr=False)
    serial: int = field(repr=False)
    public_key: PublicKey = field(repr=False)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the card's key signed ``message``: PKCS#1 v1.5 with SHA-256 for RSA, ECDSA with SHA-384 for P-384."""
        try:
            if isinstance(self.public_key, rsa.RSAPublicKey):
                self.public_key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            else:
                self.public_key.verify(signature, message, ec.ECDSA(hashes.SHA384()))
        except InvalidSignature:
            return False
        return True


class TrustStore:
    """CA certificates by key id."""

    def __init__(self, authorities: Iterable[x509.Certificate]) -> None:
        self._by_key = {subject_key(authority): authority for authority in authorities}

    @classmethod
    def load(cls, folder: Path) -> TrustStore:
        """Every .pem, .cer, .crt and .der file in ``folder``. Raises SettingsError for a file that holds no CA
        certificate, and for a folder without any.
        """
        files = sorted(p for p in folder.glob("*") if p.suffix.lower() in _CERTIFICATE_SUFFIXES)
        if not files:
            raise SettingsError(file=folder, line=0, key="trust", wrong="no CA certificate in this folder")
        return cls(_read_authority(file) for file in files)

    def __len__(self) -> int:
        return len(self._by_key)

    def authority(self, issuer_key: str) -> x509.Certificate | None:
        """The CA with this key id (hex), or None."""
        return self._by_key.get(issuer_key)

    def authorities(self) -> list[tuple[str, x509.Certificate]]:
        """Key id and certificate of every CA."""
        return sorted(self._by_key.items())

    def issuer_of(self, certificate: x509.Certificate) -> x509.Certificate:
        """The CA whose key signed ``certificate``. Raises CredentialRejected(reason="chain")."""
        authority = self._by_key.get(authority_key(certificate))
        if authority is None:
            raise CredentialRejected(reason="chain")
        try:
            certificate.verify_directly_issued_by(authority)
        except (InvalidSignature, ValueError, TypeError) as error:
            raise CredentialRejected(reason="chain") from error
        return authority


def check_credential(der: bytes, trust: TrustStore, at: datetime) -> Credential:
    """The credential in ``der`` as trusted at the aware moment ``at``.

    Raises CredentialRejected: reason "profile" (not X.509, or not a user-authentication credential), "chain" (no
    trusted CA signed it, or that CA is itself out of date) or "validity" with ``when`` "expired" or "not_yet".
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        authority = trust.issuer_of(certificate)
        _check_profile(certificate)
    except _MALFORMED as error:
        raise CredentialRejected(reason="profile") from error
    if (when := _out_of_date(certificate, at)) is not None:
        raise CredentialRejected(reason="validity", when=when)
    if _out_of_date(authority, at) is not None:
        raise CredentialRejected(reason="chain")
    return Credential(subject_key(authority), certificate.serial_number, _accepted(key))


def end_of(der: bytes) -> datetime:
    """When the credential in ``der`` ends, aware; for one that ``check_credential`` accepted."""
    return x509.load_der_x509_certificate(der).not_valid_after_utc


def signs_documents(der: bytes) -> bool:
    """Whether it says of itself that it is the other credential of a card, the one that signs documents
    (docs/sources.md#card-credential): for a clear word to whoever took the wrong one.
    """
    try:
        usage = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.KeyUsage)
    except _MALFORMED:
        return False
    return usage.value.content_commitment


def identity(der: bytes) -> tuple[str, int]:
    """(issuer_key, serial) as the credential itself says them, unchecked: for those who fill a register, never for
    those who let someone in. Raises CredentialRejected(reason="profile").
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        return authority_key(certificate), certificate.serial_number
    except _MALFORMED as error:
        raise CredentialRejected(reason="profile") from error


def subject_key(authority: x509.Certificate) -> str:
    """A CA's own key id, in hex."""
    return authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()


def authority_key(certificate: x509.Certificate) -> str:
    """The key id of the CA that ``certificate`` names, in hex. Raises CredentialRejected when it names none."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound as error:
        raise CredentialRejected(reason="chain") from error
    if found is None:
        raise CredentialRejected(reason="chain")
    return found.hex()


def _check_profile(certificate: x509.Certificate) -> None:
    """CredentialRejected(reason="profile") unless it is for user authentication (docs/sources.md#card-credential)."""
    extensions = certificate.extensions
    policies = extensions.get_extension_for_class(x509.CertificatePolicies)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    holds = (
        certificate.version is x509.Version.v3
        and policies.critical
        and [p.policy_identifier for p in policies.value] == [USER_AUTHENTICATION_POLICY]
        and usage.critical
        and _signs_only(usage.value)
        and ExtendedKeyUsageOID.CLIENT_AUTH in purposes
        and not _is_authority(certificate)
        and isinstance(certificate.signature_hash_algorithm, hashes.SHA256 | hashes.SHA384)
    )
    if not holds:
        raise CredentialRejected(reason="profile")


def _signs_only(usage: x509.KeyUsage) -> bool:
    others = (usage.content_commitment, usage.key_encipherment, usage.data_encipherment, usage.key_agreement)
    return usage.digital_signature and not any(others) and not usage.key_cert_sign and not usage.crl_sign


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _out_of_date(certificate: x509.Certificate, at: datetime) -> str | None:
    """Both ends count as valid, to the second (RFC 5280 §4.1.2.5)."""
    moment = at.astimezone(UTC).replace(microsecond=0)
    if moment < certificate.not_valid_before_utc:
        return "not_yet"
    return "expired" if moment > certificate.not_valid_after_utc else None


def _accepted(key: object) -> PublicKey:
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP384R1):
        return key
    raise CredentialRejected(reason="profile")


def _read_authority(file: Path) -> x509.Certificate:
    content = file.read_bytes()
    try:
        pem = content.lstrip().startswith(b"-----BEGIN")
        certificate = x509.load_pem_x509_certificate(content) if pem else x509.load_der_x509_certificate(content)
        usable = _is_authority(certificate) and bool(subject_key(certificate))
    except (ValueError, x509.ExtensionNotFound) as error:
        raise SettingsError(
            file=file, line=0, key="trust", wrong=f"not a certificate: {type(error).__name__}"
        ) from error
    if not usable:
        raise SettingsError(file=file, line=0, key="trust", wrong="not the certificate of a CA")
    return certificate
