"""TEST credentials of any dates."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def credential(start: datetime, end: datetime) -> x509.Certificate:
    """Self-signed."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST")])
    draft = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), start, end)
    return draft.sign(key, hashes.SHA256())
