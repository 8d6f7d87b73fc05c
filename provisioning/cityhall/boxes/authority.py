"""The city's own small CA: EC P-256, made for named hosts and boxes only, and the short-lived credentials it signs."""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from device.files import UNCHANGED, Owner, atomic_write
from device.x509_key_usage import key_usage
from provisioning.cityhall.errors import AuthorityUnusable

BOX_DOMAIN = "box.hiroba.internal"
"""Boxes are named NAME.box.hiroba.internal in their credentials; no DNS answers for it."""
_CA_LIFE = timedelta(days=3650)
_SERVER_LIFE = timedelta(days=397)
_SERVER_SPARE = timedelta(days=90)
"""Renewed at a start with less than this left; so the service may run for a quarter without a restart."""
_BACK = timedelta(hours=1)
"""A credential starts an hour ago: a box without a clock of its own may be a little behind."""

SERVER_FILE, SERVER_KEY_FILE = "server.pem", "server-key.pem"
PublicKey = ec.EllipticCurvePublicKey


def key_hash(key: PublicKey) -> str:
    """SHA-256 of the public key (SubjectPublicKeyInfo, DER) in hex: by this a box is known again after re-flashing."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def fingerprint(key: str) -> str:
    """The first 80 bits of a key hash as five groups, for people to compare on two screens."""
    return "-".join(key[i : i + 4].upper() for i in range(0, 20, 4))


def key_of_request(pem: str) -> PublicKey | None:
    """The key of a certificate signing request; None when it is malformed, not P-256 or not signed by that key."""
    try:
        request = x509.load_pem_x509_csr(pem.encode("ascii"))
        key = request.public_key()
        sound = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
        return key if sound and request.is_signature_valid and isinstance(key, ec.EllipticCurvePublicKey) else None
    except (ValueError, UnsupportedAlgorithm, InvalidSignature, UnicodeEncodeError):
        return None


def name_of_request(pem: str) -> str:
    """The common name of a request that ``key_of_request`` took; "" when it has none, or more than one."""
    names = x509.load_pem_x509_csr(pem.encode("ascii")).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


@dataclass(frozen=True)
class Peer:
    """The other end of mutual TLS, by its credential."""

    box: str
    key: str
    serial: str


def peer_of(der: bytes) -> Peer | None:
    """The box named by a credential that TLS has already verified; None when it names none."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = [str(a.value) for a in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    if len(names) != 1 or not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    return Peer(names[0], key_hash(key), f"{certificate.serial_number:x}")


@dataclass(frozen=True)
class Authority:
    """The CA: certificate and private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """The CA's certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def issue_box(self, box: str, key: PublicKey, now: datetime, days: int) -> x509.Certificate:
        """A credential with which ``box`` may connect to city hall, and nothing else."""
        plain = self._plain(box, key, now, timedelta(days=days))
        return self._sign(plain, [x509.DNSName(f"{box}.{BOX_DOMAIN}")], ExtendedKeyUsageOID.CLIENT_AUTH)

    def issue_server(self, names: Sequence[str], key: PublicKey, now: datetime) -> x509.Certificate:
        """A credential for the service itself under ``names``. Its subject is no name on purpose: OpenSSL holds one
        that looks like a DNS name, as an address does, against the CA's name constraints.
        """
        plain = self._plain("Hiroba city hall", key, now, _SERVER_LIFE)
        return self._sign(plain, _general(names), ExtendedKeyUsageOID.SERVER_AUTH)

    def _plain(self, name: str, key: PublicKey, now: datetime, life: timedelta) -> x509.CertificateBuilder:
        issuer_key = self.key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACK)
            .not_valid_after(min(now + life, self.certificate.not_valid_after_utc))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
        )

    def _sign(
        self, plain: x509.CertificateBuilder, names: Sequence[x509.GeneralName], usage: x509.ObjectIdentifier
    ) -> x509.Certificate:
        return (
            plain.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def make_authority(city: str, names: Sequence[str], now: datetime) -> Authority:
    """A new CA that can sign for ``names`` and for boxes only (name constraints, RFC 5280 §4.2.1.10)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Hiroba CA {city}"[:64])])
    permitted = [x509.DNSName(BOX_DOMAIN), *_general(names, network=True)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACK)
        .not_valid_after(now + _CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(ca=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def _general(names: Sequence[str], *, network: bool = False) -> list[x509.GeneralName]:
    return [_general_name(name, network=network) for name in names]


def _general_name(name: str, *, network: bool) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_network(name) if network else ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass(frozen=True)
class AuthorityFolder:
    """The CA's folder: STATE/fleet/ca. Whoever reads its key can issue credentials."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The CA's certificate, to be put on the boxes."""
        return self.folder / "city-ca.pem"

    def open(self, city: str, names: Sequence[str], now: datetime) -> Authority:
        """The CA; made at the first call. Raises AuthorityUnusable."""
        key_file = self.folder / "city-ca-key.pem"
        if not key_file.exists() and not self.certificate.exists():
            made = make_authority(city, names, now)
            write_private(key_file, private_pem(made.key))
            write_public(self.certificate, made.pem.encode())
            return made
        try:
            key = load_pem_private_key(key_file.read_bytes(), None)
            certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise AuthorityUnusable(file=self.folder, reason=type(error).__name__) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
            raise AuthorityUnusable(file=self.folder, reason="key and certificate do not belong together")
        permitted = certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
        foreign = [n for n in names if _general_name(n, network=True) not in (permitted or [])]
        if foreign:
            raise AuthorityUnusable(file=self.folder, reason=f"made for other names than {', '.join(foreign)}")
        return Authority(certificate, key)

    def server(self, authority: Authority, names: Sequence[str], now: datetime) -> tuple[Path, Path]:
        """(certificate, key) files of the service itself; made anew when missing, for other names or near their end."""
        certificate_file, key_file = self.folder / SERVER_FILE, self.folder / SERVER_KEY_FILE
        if not (key_file.exists() and _still_good(certificate_file, authority, names, now)):
            key = ec.generate_private_key(ec.SECP256R1())
            issued = authority.issue_server(names, key.public_key(), now)
            write_private(key_file, private_pem(key))
            write_public(certificate_file, issued.public_bytes(Encoding.PEM))
        self.folder.chmod(0o710)  # nginx is a member of the group; the CA's own key stays its owner's
        key_file.chmod(0o640)
        return certificate_file, key_file


def _still_good(file: Path, authority: Authority, names: Sequence[str], now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        certificate.verify_directly_issued_by(authority.certificate)
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return list(held) == _general(names) and certificate.not_valid_after_utc - now > _SERVER_SPARE


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS #8, unencrypted: the file's rights protect it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_private(path: Path, content: bytes) -> None:
    """Whole or not at all, fsynced, readable by its owner alone."""
    _write(path, content, 0o600)


def write_public(path: Path, content: bytes) -> None:
    """Whole or not at all, fsynced, readable by everybody."""
    _write(path, content, 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    atomic_write(path, content, mode=mode, owner=_owner_of(path.parent))


def _owner_of(folder: Path) -> Owner:
    """What root writes on the command line stays readable for the service that owns the folder."""
    facts = folder.stat()
    return Owner(facts.st_uid, facts.st_gid) if os.geteuid() == 0 and facts.st_uid else UNCHANGED
