"""Who made an archive: the signed statement about its encrypted bytes, and the check of it against city and pins. Pure.

The box's own key signs. With the credential that city hall issued for that key, any machine that knows the city's CA
can tell which box it was, also years later and when that box and its key are gone. A box without city hall is known by
the fingerprint of its key alone, which staff wrote down (``hiroba backup signer``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.backup.contents import Line
from provisioning.backup.errors import SignatureInvalid, SignerUnknown

_CONTEXT = b"hiroba archive 2\x00"
"""Before what is signed: the box's key signs other things as well (TLS), and none of them begins so."""
_ALGORITHM = ec.ECDSA(hashes.SHA256())


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the box says of its archive. archive: random id; taken_at: ISO 8601, JST; segments: SHA-256 (hex) of each
    ``segment_bytes`` of the encrypted payload, so that each can be checked before it is used.
    """

    archive: Line
    box: Line
    taken_at: Line
    version: Line
    payload_bytes: int
    segment_bytes: int
    segments: list[str]


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """key: the box's public key, PEM. certificate: its credential from the city's CA, PEM, or "". signature: base64."""

    key: str
    certificate: str
    signature: str


@dataclass(frozen=True)
class Signer:
    """The key that signs. certificate: see Signature."""

    key: ec.EllipticCurvePrivateKey
    certificate: str = ""

    def sign(self, statement: bytes) -> Signature:
        """The signature over the encoded statement."""
        raw = self.key.sign(_CONTEXT + statement, _ALGORITHM)
        return Signature(key=self.public_pem(), certificate=self.certificate, signature=base64.b64encode(raw).decode())

    def public_pem(self) -> str:
        """The key that belongs to it, for a file."""
        plain = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return plain.decode("ascii")

    def fingerprint(self) -> str:
        """As staff write it down."""
        return fingerprint(self.key.public_key())


@dataclass(frozen=True)
class Anchors:
    """What is believed. cities: CAs of the city. fingerprints: of single keys."""

    cities: Sequence[x509.Certificate] = ()
    fingerprints: Collection[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Maker:
    """Who made an archive. city: the CA's name that vouches for it, "" when a fingerprint does. until: the end of the
    credential; it may lie before the back-up, when the line to city hall was down for long.
    """

    box: str
    fingerprint: str
    city: str = ""
    until: datetime | None = None


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """128 bits of the SHA-256 of a public key (SubjectPublicKeyInfo, DER), in groups of four."""
    found = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:32].upper()
    return "-".join(found[i : i + 4] for i in range(0, 32, 4))


def normal_fingerprint(typed: str) -> str:
    """A fingerprint as staff typed it, in the form of ``fingerprint``."""
    plain = re.sub(r"[^0-9A-F]", "", typed.upper())
    return "-".join(plain[i : i + 4] for i in range(0, len(plain), 4))


def fingerprint_of_pem(pem: str) -> str:
    """Of a public key's file. Raises SignatureInvalid."""
    return fingerprint(_public_key(pem))


def check_signature(statement: bytes, signature: Signature) -> ec.EllipticCurvePublicKey:
    """The key that really signed ``statement``. Raises SignatureInvalid."""
    key = _public_key(signature.key)
    try:
        raw = base64.b64decode(signature.signature, validate=True)
        key.verify(raw, _CONTEXT + statement, _ALGORITHM)
    except (InvalidSignature, binascii.Error) as error:
        raise SignatureInvalid(reason="signature") from error
    return key


def maker_of(box: str, key: ec.EllipticCurvePublicKey, certificate: str, anchors: Anchors) -> Maker:
    """Whom ``anchors`` know by ``key`` under the name ``box``. Raises SignerUnknown, SignatureInvalid."""
    own = fingerprint(key)
    for city in anchors.cities if certificate else ():
        found = _issued(certificate, city)
        if found is not None:
            _check_credential(found, box, key)
            return Maker(box, own, _name(city.subject), found.not_valid_after_utc)
    if own in anchors.fingerprints:
        return Maker(box, own)
    raise SignerUnknown(box=box, fingerprint=own)


def _issued(certificate: str, city: x509.Certificate) -> x509.Certificate | None:
    """The credential, when ``city`` signed it."""
    try:
        found = x509.load_pem_x509_certificate(certificate.encode("ascii"))
        found.verify_directly_issued_by(city)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, UnicodeEncodeError):
        return None
    return found


def _check_credential(found: x509.Certificate, box: str, key: ec.EllipticCurvePublicKey) -> None:
    """Its end is not looked at: the time of a back-up is the signer's own word, so an end would stop nobody."""
    try:
        usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        basic = found.extensions.get_extension_for_class(x509.BasicConstraints).value
        sound = ExtendedKeyUsageOID.CLIENT_AUTH in usage and not basic.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError) as error:
        raise SignatureInvalid(reason="credential") from error
    if not sound or found.public_key() != key or _name(found.subject) != box:
        raise SignatureInvalid(reason="credential")


def _name(subject: x509.Name) -> str:
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def _public_key(pem: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, TypeError, UnsupportedAlgorithm, UnicodeEncodeError) as error:
        raise SignatureInvalid(reason="key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SignatureInvalid(reason="key")
    return key
