"""A card reader without PC/SC: the virtual card straight behind the reader port, for tests and fast demos."""

from __future__ import annotations

import threading
from collections.abc import Callable

from device.card.allow_list import AllowListed
from device.card.presence import Presence
from device.card.transport import CardTransport, Response
from device.card.virtual.card import VirtualCard
from device.errors import CardGone, CardServiceDown, ReaderBusy, ReaderMissing


class VirtualReader:
    """One reader that a person or a test operates: ``insert``, ``remove``, ``service`` for the troubles before a card.

    ``wrap`` goes between allow-list and card, for whoever counts what really goes over.
    """

    def __init__(
        self, card: VirtualCard | None = None, wrap: Callable[[CardTransport], CardTransport] | None = None
    ) -> None:
        self._lock = threading.RLock()
        self._card = card
        self._presence = Presence.EMPTY
        self._open: _Connection | None = None
        self._wrap = wrap or (lambda transport: transport)

    def insert(self, card: VirtualCard) -> None:
        """Put a card down; one that lies there is taken first."""
        with self._lock:
            self.remove()
            card.power_off()
            self._card = card

    def remove(self) -> None:
        """Take the card. An open connection finds out with its next command."""
        with self._lock:
            self._card = self._open = None

    def service(self, presence: Presence) -> None:
        """NO_SERVICE or NO_READER from now on; EMPTY: all is well again, with whatever card lies there."""
        with self._lock:
            self._presence, self._open = presence, None

    def presence(self) -> Presence:
        """See CardReader."""
        with self._lock:
            return Presence.PRESENT if self._presence is Presence.EMPTY and self._card else self._presence

    def connect(self) -> CardTransport:
        """See CardReader."""
        with self._lock:
            if self._presence is Presence.NO_SERVICE:
                raise CardServiceDown
            if self._presence is Presence.NO_READER:
                raise ReaderMissing
            if self._card is None:
                raise CardGone
            if self._open is not None:
                raise ReaderBusy
            self._open = _Connection(self, self._card)
            return AllowListed(self._wrap(self._open))

    def exchange(self, connection: _Connection, card: VirtualCard, apdu: bytes) -> Response:
        """One command from an open connection. Raises CardGone when it is not the open one any more."""
        with self._lock:
            if self._presence is Presence.NO_SERVICE:
                raise CardServiceDown
            if self._open is not connection or self._card is not card:
                raise CardGone
            answer = card.transmit(apdu)
            return Response(answer[:-2], int.from_bytes(answer[-2:], "big"))

    def end(self, connection: _Connection, card: VirtualCard) -> None:
        """Power the card down and free the reader, if it is still this connection's."""
        with self._lock:
            if self._open is connection:
                self._open = None
                card.power_off()


class _Connection:
    def __init__(self, reader: VirtualReader, card: VirtualCard) -> None:
        self._reader = reader
        self._card = card

    def transmit(self, apdu: bytes) -> Response:
        """See CardTransport."""
        return self._reader.exchange(self, self._card, apdu)

    def close(self) -> None:
        """See CardTransport."""
        self._reader.end(self, self._card)
