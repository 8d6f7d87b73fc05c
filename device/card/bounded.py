"""Bounds what one card may take: commands and seconds of an exchange, whatever it answers and however slowly.

A card that answers one byte a command, or asks for ever to be asked again, held a visit for minutes. A command itself
cannot be cut: the reader's driver ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from device.card.transport import CardTransport, Response
from device.errors import CardProtocolError

MAX_SECONDS = 15.0
"""Of one exchange: select, read, verify or sign. A whole visit takes a true card about 6 seconds."""
MAX_COMMANDS = 60
"""Of one exchange. A whole visit takes 13, of a card that knows the plainest forms alone 26."""
_NO_STATUS = "0000"


class CardTooSlow(CardProtocolError):
    """The card took more commands or seconds than an exchange may. facts: sw "0000", command "too_slow"."""


class BoundedTransport:
    """Counts from ``begin`` on. Once an exchange is over its bounds, each further command fails until the next one."""

    def __init__(
        self,
        inner: CardTransport,
        *,
        seconds: float = MAX_SECONDS,
        commands: int = MAX_COMMANDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner, self._monotonic = inner, monotonic
        self._seconds, self._commands = seconds, commands
        self.begin()

    def begin(self) -> None:
        """An exchange begins."""
        self._until, self._left = self._monotonic() + self._seconds, self._commands

    def transmit(self, apdu: bytes) -> Response:
        """See CardTransport. Raises CardTooSlow; an answer that came too late is not heard."""
        self._left -= 1
        if self._left < 0 or self._monotonic() > self._until:
            raise CardTooSlow(sw=_NO_STATUS, command="too_slow")
        answer = self._inner.transmit(apdu)
        if self._monotonic() > self._until:
            raise CardTooSlow(sw=_NO_STATUS, command="too_slow")
        return answer

    def close(self) -> None:
        """See CardTransport."""
        self._inner.close()
