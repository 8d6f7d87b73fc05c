"""The issuer as the kiosk sees it: one method a message of the protocol, whether it runs on the box or at city hall."""

from __future__ import annotations

from typing import Protocol

from kiosk.issuer.protocol import (
    Authenticate,
    Challenge,
    Document,
    DocumentRequest,
    Health,
    Order,
    Outcome,
    Quote,
    Refusal,
    Resident,
    Settled,
)


class IssuerPort(Protocol):
    """Every method may raise IssuerUnreachable, IssuerBusy or IssuerBroken (kiosk.issuer.errors); a Refusal is an
    answer. Who asks is no argument: a port is one kiosk's.

    ``document`` and ``outcome`` raise RequestUnknown for a request this kiosk never had accepted.
    """

    def challenge(self) -> Challenge:
        """A fresh single-use nonce for this kiosk."""
        ...

    def authenticate(self, message: Authenticate) -> Resident | Refusal:
        """The resident, by the card's first signature, and the certificates offered."""
        ...

    def order(self, order: Order) -> Quote | Refusal:
        """Accept what the card signed. Idempotent: the same request and content get the same Quote."""
        ...

    def document(self, request: str, message: DocumentRequest) -> Document | Refusal:
        """The certificate of an accepted order, rendered from the register as it is now; given out once."""
        ...

    def outcome(self, request: str, message: Outcome) -> Settled | Refusal:
        """Report how the request ended; the first outcome reported stays. Refused with the wrong key."""
        ...

    def health(self) -> Health:
        """Whether the issuer can serve now."""
        ...
