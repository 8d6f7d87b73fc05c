"""One certificate revocation list (RFC 5280 §5), checked whole before one serial of it is believed. Pure.

Taken are complete lists alone: signed by the very CA whose credentials they speak of, with both dates, without a part
left out (indirect, partial and delta lists, and what bears a critical extension that nobody here understands).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from device.card.credential import TrustStore
from device.errors import HirobaError

MAX_BYTES = 64 * 1024 * 1024
"""Of one list: more than a million entries."""
CLOCK_SKEW = timedelta(minutes=5)
_UNDERSTOOD = frozenset({x509.CRLNumber.oid, x509.AuthorityKeyIdentifier.oid, x509.IssuingDistributionPoint.oid})
_MALFORMED = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)


class ListRefused(HirobaError):
    """A revocation list that is not believed. facts: reason (unreadable, too_large, authority, signature, dates,
    partial, critical, older, future).
    """

    code = "revocation.list_refused"


@dataclass(frozen=True)
class RevocationList:
    """issuer_key: of the CA. number: CRL number, 0 without. revoked: serials."""

    issuer_key: str
    number: int
    this_update: datetime
    next_update: datetime
    revoked: frozenset[int] = field(repr=False)

    def good_until(self, fresh: timedelta) -> datetime:
        """How long its word holds: until the next list is due, or it is older than the city allows."""
        return min(self.next_update, self.this_update + fresh)

    def is_older_than(self, other: RevocationList) -> bool:
        """By date or by number: neither ever goes back."""
        return self.this_update < other.this_update or self.number < other.number


def read_list(content: bytes, trust: TrustStore, now: datetime) -> RevocationList:
    """The list in ``content`` (DER or PEM). Raises ListRefused. A list that is out of date is read too: who is on it
    stays revoked.
    """
    if len(content) > MAX_BYTES:
        raise ListRefused(reason="too_large")
    try:
        found = _parsed(content)
        authority, issuer_key = _signer(found, trust)
        _check_complete(found.extensions)
        key = authority.public_key()
        if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) or not _strong(found):
            raise ListRefused(reason="signature")
        if not found.is_signature_valid(key):
            raise ListRefused(reason="signature")
        return _read(found, issuer_key, now)
    except (*_MALFORMED, InvalidSignature) as error:
        raise ListRefused(reason="unreadable") from error


def _parsed(content: bytes) -> x509.CertificateRevocationList:
    pem = content.lstrip().startswith(b"-----BEGIN")
    return x509.load_pem_x509_crl(content) if pem else x509.load_der_x509_crl(content)


def _signer(found: x509.CertificateRevocationList, trust: TrustStore) -> tuple[x509.Certificate, str]:
    """By key id, since every generation of the CA bears one name; and by that name too."""
    try:
        issuer_key = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound as error:
        raise ListRefused(reason="authority") from error
    authority = trust.authority(issuer_key.hex()) if issuer_key else None
    if authority is None or issuer_key is None or authority.subject != found.issuer or not _may_sign_lists(authority):
        raise ListRefused(reason="authority")
    return authority, issuer_key.hex()


def _may_sign_lists(authority: x509.Certificate) -> bool:
    try:
        return authority.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return False


def _strong(found: x509.CertificateRevocationList) -> bool:
    return isinstance(found.signature_hash_algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512)


def _check_complete(extensions: x509.Extensions) -> None:
    for extension in extensions:
        if isinstance(extension.value, x509.DeltaCRLIndicator):
            raise ListRefused(reason="partial")
        if isinstance(extension.value, x509.IssuingDistributionPoint) and not _whole(extension.value):
            raise ListRefused(reason="partial")
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise ListRefused(reason="critical")


def _whole(point: x509.IssuingDistributionPoint) -> bool:
    """A list of everybody's credentials; that CAs' own are left out (onlyContainsUserCerts) leaves out no card."""
    return not (
        point.full_name
        or point.relative_name
        or point.only_contains_ca_certs
        or point.only_some_reasons
        or point.indirect_crl
        or point.only_contains_attribute_certs
    )


def _read(found: x509.CertificateRevocationList, issuer_key: str, now: datetime) -> RevocationList:
    this_update, next_update = found.last_update_utc, found.next_update_utc
    if next_update is None or next_update <= this_update:
        raise ListRefused(reason="dates")
    if this_update > now + CLOCK_SKEW:
        raise ListRefused(reason="future")
    return RevocationList(issuer_key, _number(found), this_update, next_update, _serials(found))


def _number(found: x509.CertificateRevocationList) -> int:
    try:
        return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0


def _serials(found: Iterable[x509.RevokedCertificate]) -> frozenset[int]:
    serials = set()
    for entry in found:
        if any(extension.critical and not _reason_or_date(extension.value) for extension in entry.extensions):
            raise ListRefused(reason="critical")
        serials.add(entry.serial_number)
    return frozenset(serials)


def _reason_or_date(value: x509.ExtensionType) -> bool:
    return isinstance(value, x509.CRLReason | x509.InvalidityDate)
