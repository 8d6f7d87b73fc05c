"""What signing in adds to a service's part of the visit."""

from __future__ import annotations

from dataclasses import dataclass

from device.errors import CardGone
from kiosk.issuer.protocol import Resident
from kiosk.shell.visit import ServiceVisit, Visit
from kiosk.sign_in.card_session import CardSession


@dataclass
class SignedVisit(ServiceVisit):
    """Base for the part of a service that signs residents in. card: open until the service needs it no more. tries: PIN
    tries left. resident: as the issuer knows the holder.
    """

    card: CardSession | None = None
    tries: int | None = None
    resident: Resident | None = None

    @property
    def needs_card(self) -> bool:
        """See ServiceVisit."""
        return self.card is not None

    def close(self, reason: str) -> None:  # noqa: ARG002  # whatever ended the visit
        """Power the card down and forget the person."""
        card, self.card = self.card, None
        self.tries = self.resident = None
        if card is not None:
            card.close()


def signed(visit: Visit) -> SignedVisit:
    """The part of a visit that signs in. Raises CardGone when the visit has ended or left the service."""
    if not isinstance(visit.service, SignedVisit):
        raise CardGone()
    return visit.service
