"""What a reader can tell, as values and events, and the port every reader driver fills."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from device.card.transport import CardTransport


class Presence(Enum):
    """The state of the one reader the box uses."""

    NO_SERVICE = "no_service"
    NO_READER = "no_reader"
    EMPTY = "empty"
    PRESENT = "present"


@dataclass(frozen=True)
class CardArrived:
    """A card was put down."""


@dataclass(frozen=True)
class CardLeft:
    """The card was taken away."""


@dataclass(frozen=True)
class ReaderChanged:
    """The reader or its service came or went; ``presence`` is the state now."""

    presence: Presence


PresenceEvent = CardArrived | CardLeft | ReaderChanged


class CardReader(Protocol):
    """One contactless or contact reader."""

    def presence(self) -> Presence:
        """The state now. Never raises: a dead service is Presence.NO_SERVICE. Reconnects by itself."""
        ...

    def connect(self) -> CardTransport:
        """Open the card exclusively. Raises CardGone, ReaderBusy, ReaderMissing, CardServiceDown."""
        ...
