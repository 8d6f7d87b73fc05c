"""What the visitor said."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.shell.visit import ServiceVisit


@dataclass
class OpinionVisit(ServiceVisit):
    """said: what was typed, until the visit ends."""

    said: str = ""
