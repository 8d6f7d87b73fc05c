"""What a visit holds while it is after a certificate; forgotten whole at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kiosk.issuer.protocol import Offer, OrderContent, Quote
from kiosk.shell.visit import Visit
from kiosk.sign_in.state import SignedVisit


@dataclass(frozen=True)
class Progress:
    """Sides printed so far of all sides, and what the printer waits for ("" nothing)."""

    done: int
    total: int
    waits: str = ""


@dataclass(frozen=True)
class Draft:
    """What the visitor has chosen so far. answers: by field of the form, as an order holds them."""

    answers: Mapping[str, list[str]]
    copies: int


@dataclass
class CertificatesVisit(SignedVisit):
    """``paid`` and ``printed`` decide how the request of a visit that ends is settled. settle: told of this part and
    the reason, once, before it is forgotten.
    """

    settle: Callable[[CertificatesVisit, str], None] = field(default=lambda _state, _reason: None, repr=False)
    offer: Offer | None = None
    draft: Draft | None = None
    content: OrderContent | None = None
    quote: Quote | None = None
    paid: bool = False
    method: str = ""
    printed: bool = False
    receipt: str = ""
    progress: Progress | None = None

    @property
    def fee_yen(self) -> int:
        """The fee of what is chosen, in yen, as the confirm screen shows it."""
        return self.offer.fee_yen * self.draft.copies if self.offer and self.draft else 0

    def close(self, reason: str) -> None:
        """Settle the request, power the card down, forget everything."""
        self.settle(self, reason)
        super().close(reason)
        self.offer = self.draft = self.content = self.quote = self.progress = None
        self.method = self.receipt = ""


def certificates(visit: Visit) -> CertificatesVisit | None:
    """The part of a visit that is after a certificate; None when it is not, or not any more."""
    return visit.service if isinstance(visit.service, CertificatesVisit) else None
