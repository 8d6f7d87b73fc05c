"""The key usage extension of X.509 credentials (RFC 5280 §4.2.1.3)."""

from __future__ import annotations

from cryptography import x509


def key_usage(*, ca: bool = False, non_repudiation: bool = False) -> x509.KeyUsage:
    """To sign credentials and revocation lists (ca), else to sign, with ``non_repudiation`` also documents."""
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=non_repudiation,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
