"""A transport is one method of bytes."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Response(NamedTuple):
    """What a card answered: data bytes and the two-byte status word (ISO/IEC 7816-4 §5.6)."""

    data: bytes
    sw: int


class CardTransport(Protocol):
    """An open, exclusive connection to the card in a reader."""

    def transmit(self, apdu: bytes) -> Response:
        """Send one command APDU. Raises CardGone when the card left, CardServiceDown when the service did."""
        ...

    def close(self) -> None:
        """End the connection and power the card down: no PIN state stays (docs/sources.md#pcsc-service). Repeatable."""
        ...
