"""The one visitor who stands at the kiosk now: everything known about them, in memory only.

A visit is replaced, never reused, also when it leaves a service. So a late answer of card, issuer or printer that still
holds the old object can be told from one for the visitor of now (N5).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from kiosk.shell.journey import Step


class ServiceVisit:
    """A service's part of the visit; each service has its own class. Dropped whole when the visit leaves it. personal:
    it may come to hold something about a person; the process that held it is then replaced after the visit.
    """

    personal: ClassVar[bool] = True

    @property
    def needs_card(self) -> bool:
        """Whether the card must stay, on a screen whose row says so: its work with the card is not done."""
        return True

    def close(self, reason: str) -> None:
        """Settle what is open and let go of what is held, without waiting for anything. reason: the event that ended
        the visit. Called once, under the desk's lock.
        """


@dataclass(frozen=True)
class Notice:
    """What the screen has to tell: a stable code and short, never personal facts for its words."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Visit:
    """State of one visit. ``deadline`` is on the monotonic clock, None waits for ever. ``id`` is "" before the first
    touch and after the end. ``staff``: the staff code was accepted on the staff screen.
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
    notice: Notice | None = None
    staff: bool = False
    service: ServiceVisit | None = None

    def left(self, reason: str) -> Visit:
        """Close the service's part; the visit that goes on without it, with language, display and notice kept."""
        part, self.service = self.service, None
        if part is not None:
            part.close(reason)
        return replace(self, service=None, staff=False, busy=False)
