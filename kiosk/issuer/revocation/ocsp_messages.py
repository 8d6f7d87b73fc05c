"""A question to an OCSP responder and what an answer says (RFC 6960). Pure.

An answer is believed when the CA itself, or a responder with a credential of that CA for this purpose, signed it, when
it speaks of the serial that was asked about, and when it is fresh. Everything else is AnswerRefused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from device.errors import HirobaError
from kiosk.issuer.revocation.verdict import Status

CLOCK_SKEW = timedelta(minutes=5)
NONCE_BYTES = 32
"""RFC 9654 §2.1."""
_MALFORMED = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)
_STATUS = {
    ocsp.OCSPCertStatus.GOOD: Status.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Status.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: Status.UNKNOWN,
}


class AnswerRefused(HirobaError):
    """An answer that is not believed. facts: reason (malformed, status, signer, signature, serial, stale, future,
    nonce, unreachable, late, too_large, http).
    """

    code = "revocation.answer_refused"


@dataclass(frozen=True)
class Question:
    """About one credential of ``authority``. nonce: None when none is sent."""

    authority: x509.Certificate
    serial: int = field(repr=False)
    nonce: bytes | None = field(default=None, repr=False)
    nonce_required: bool = False

    def encoded(self) -> bytes:
        """DER. The CA is named by SHA-1, which is what every responder knows (RFC 5019 §2.1.1); a name, not a seal."""
        name, key = _authority_hashes(self.authority)
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, self.serial, hashes.SHA1())  # noqa: S303
        if self.nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(self.nonce), critical=False)
        return builder.build().public_bytes(Encoding.DER)


@dataclass(frozen=True)
class Answer:
    """What a believed answer says. good_until: how long it holds."""

    status: Status
    good_until: datetime


def read_answer(content: bytes, question: Question, now: datetime, fresh: timedelta) -> Answer:
    """Raises AnswerRefused."""
    try:
        response = ocsp.load_der_ocsp_response(content)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise AnswerRefused(reason="status")
        _check_signature(response, question.authority, now)
        _check_nonce(response, question)
        return _dated(_about(response, question), now, fresh)
    except _MALFORMED as error:
        raise AnswerRefused(reason="malformed") from error


def _about(response: ocsp.OCSPResponse, question: Question) -> ocsp.OCSPSingleResponse:
    for single in response.responses:
        hashed = _authority_hashes(question.authority, single.hash_algorithm)
        if (single.issuer_name_hash, single.issuer_key_hash) == hashed and single.serial_number == question.serial:
            return single
    raise AnswerRefused(reason="serial")


def _dated(single: ocsp.OCSPSingleResponse, now: datetime, fresh: timedelta) -> Answer:
    """Until its own end, and no longer than the city lets a word be old. A revoked one has no end."""
    status, since, end = _STATUS[single.certificate_status], single.this_update_utc, single.next_update_utc
    good_until = min(since + fresh, end) if end else since + fresh
    if since > now + CLOCK_SKEW:
        raise AnswerRefused(reason="future")
    if now > good_until and status is not Status.REVOKED:
        raise AnswerRefused(reason="stale")
    return Answer(status, good_until)


def _check_nonce(response: ocsp.OCSPResponse, question: Question) -> None:
    try:
        told = response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        told = None
    if question.nonce is None:
        return
    if told is None and not question.nonce_required:
        return  # RFC 9654 §2.1: a responder may leave it out; freshness is held by the dates
    if told != question.nonce:
        raise AnswerRefused(reason="nonce")


def _check_signature(response: ocsp.OCSPResponse, authority: x509.Certificate, now: datetime) -> None:
    algorithm = response.signature_hash_algorithm
    if not isinstance(algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512):
        raise AnswerRefused(reason="signature")
    signer = _signer(response, authority, now)
    key = signer.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            raise AnswerRefused(reason="signature")
    except InvalidSignature as error:
        raise AnswerRefused(reason="signature") from error


def _signer(response: ocsp.OCSPResponse, authority: x509.Certificate, now: datetime) -> x509.Certificate:
    """The CA, or who it delegated this to (RFC 6960 §4.2.2.2)."""
    if _names(response, authority):
        return authority
    for delegate in response.certificates:
        if _names(response, delegate):
            _check_delegate(delegate, authority, now)
            return delegate
    raise AnswerRefused(reason="signer")


def _check_delegate(delegate: x509.Certificate, authority: x509.Certificate, now: datetime) -> None:
    try:
        delegate.verify_directly_issued_by(authority)
        purposes = delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise AnswerRefused(reason="signer") from error
    in_time = delegate.not_valid_before_utc <= now <= delegate.not_valid_after_utc
    if ExtendedKeyUsageOID.OCSP_SIGNING not in purposes or not in_time:
        raise AnswerRefused(reason="signer")


def _names(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    """Whether the answer says that ``signer`` signed it: by key, or by name."""
    if response.responder_key_hash is not None:
        return response.responder_key_hash == _authority_hashes(signer)[1]
    return response.responder_name == signer.subject


def _authority_hashes(
    authority: x509.Certificate, algorithm: hashes.HashAlgorithm | None = None
) -> tuple[bytes, bytes]:
    """Of its name, and of its key as it stands in the BIT STRING (RFC 6960 §4.1.1)."""
    name = algorithm.name if algorithm else "sha1"
    key = authority.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        bits = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    else:
        bits = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return hashlib.new(name, authority.subject.public_bytes()).digest(), hashlib.new(name, bits).digest()
