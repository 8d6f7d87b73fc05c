"""Whether a credential may be linked to a resident at all: the same look that a kiosk's visit gets. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from device.card.credential import TrustStore, check_credential, end_of, signs_documents
from device.errors import CredentialRejected
from kiosk.issuer.register.errors import RegisterRefused


class LinkCandidate(NamedTuple):
    """A credential that was looked at. not_after: when it ends, aware."""

    issuer_key: str
    serial: int
    not_after: datetime


def candidate(der: bytes, trust: TrustStore, at: datetime) -> LinkCandidate:
    """The credential in ``der``: chain to a trusted CA, profile and key usage of user authentication, validity.

    Raises RegisterRefused: "credential_signing" (the card's other credential), "credential_chain",
    "credential_profile", "credential_expired", "credential_not_yet".
    """
    try:
        checked = check_credential(der, trust, at)
    except CredentialRejected as rejected:
        raise RegisterRefused(_reason(der, rejected)) from rejected
    return LinkCandidate(checked.issuer_key, checked.serial, end_of(der))


def _reason(der: bytes, rejected: CredentialRejected) -> str:
    if signs_documents(der):
        return "credential_signing"
    reason = str(rejected.facts.get("when" if rejected.facts.get("reason") == "validity" else "reason"))
    return f"credential_{reason}"
