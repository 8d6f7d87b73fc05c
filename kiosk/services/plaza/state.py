"""What a visit holds while it reads about the plaza: which page of the pictures it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kiosk.shell.visit import ServiceVisit, Visit

PICTURES = ("place", "pin", "choose", "pay", "take")
"""How a certificate is made, in order: static/NAME.svg, and the words under plaza.how.NAME."""


@dataclass
class PlazaVisit(ServiceVisit):
    """picture: place in PICTURES of the one that is shown."""

    personal: ClassVar[bool] = False
    picture: int = 0

    def close(self, reason: str) -> None:  # noqa: ARG002  # whatever ended the visit
        """Back to the first picture."""
        self.picture = 0


def plaza(visit: Visit) -> PlazaVisit | None:
    """The part of a visit that reads about the plaza; None when it does not, or not any more."""
    return visit.service if isinstance(visit.service, PlazaVisit) else None
