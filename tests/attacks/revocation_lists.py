"""Revocation lists of the TEST PKI, right and forged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from device.card.virtual.pki import TestPki, load_card_key

HOUR = timedelta(hours=1)
WHOLE = {"full_name": None, "relative_name": None, "only_some_reasons": None}
FLAGS = ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs")


def make_list(
    pki: TestPki,
    at: datetime,
    serials: Iterable[int] = (),
    *,
    number: int = 1,
    signer: str = "auth-2",
    named: str = "auth-2",
    life: timedelta = 24 * HOUR,
    extra: x509.ExtensionType | None = None,
    critical: bool = True,
) -> bytes:
    """DER. at: thisUpdate. named: the CA that it says it is of; signer: whose key signs it."""
    authority = x509.load_pem_x509_certificate((pki.folder / "ca" / f"{named}.pem").read_bytes())
    key_id = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    moment = at.astimezone(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(moment)
        .next_update(moment + life)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(key_id.digest, None, None), critical=False)
    )
    if extra is not None:
        builder = builder.add_extension(extra, critical=critical)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment - HOUR)
        builder = builder.add_revoked_certificate(entry.build())
    key = load_card_key(pki.folder / "ca" / f"{signer}.key")
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def distribution_point(**told: object) -> x509.IssuingDistributionPoint:
    """What a list says it is limited to; limited to nothing unless told."""
    flags = dict.fromkeys(FLAGS, False)
    return x509.IssuingDistributionPoint(**{**WHOLE, **flags, **told})  # type: ignore[arg-type]
