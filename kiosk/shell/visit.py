"""The one visitor who stands at the kiosk now: everything known about them, in memory only.

A visit is replaced, never reused, so a late answer of card, issuer or printer that still holds the old object can be
told from one for the visitor of now (N5).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.issuer.protocol import Offer, OrderContent, Quote, Resident
from kiosk.shell.journey import Step
from kiosk.sign_in.card_session import CardSession


@dataclass(frozen=True)
class Message:
    """What the screen has to tell: a stable code and short, never personal facts for its words."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


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
class Visit:
    """State of one visit. ``deadline`` is on the monotonic clock, None waits for ever. ``paid`` and ``printed`` are
    what decides how a visit that ends is settled.
    """

    language: str
    deadline: float | None = None
    id: str = ""
    large: bool = False
    contrast: bool = False
    touched: bool = False
    step: Step = field(default_factory=Step)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    busy: bool = False
    card: CardSession | None = None
    tries: int | None = None
    resident: Resident | None = None
    offer: Offer | None = None
    draft: Draft | None = None
    content: OrderContent | None = None
    quote: Quote | None = None
    paid: bool = False
    method: str = ""
    printed: bool = False
    receipt: str = ""
    progress: Progress | None = None
    message: Message | None = None
    staff: bool = False

    @property
    def fee_yen(self) -> int:
        """The fee of what is chosen, in yen, as the confirm screen shows it."""
        return self.offer.fee_yen * self.draft.copies if self.offer and self.draft else 0

    def wipe(self) -> None:
        """Power the card down and forget the person. Language, display and the message to tell stay."""
        card, self.card = self.card, None
        self.tries = self.resident = self.offer = self.draft = self.content = self.quote = self.progress = None
        self.staff, self.method, self.receipt = False, "", ""
        if card is not None:
            card.close()
