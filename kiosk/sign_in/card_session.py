"""One card on the reader during one visit: from the first read to the second signature, then powered down."""

from __future__ import annotations

import threading

from device.card.my_number_card import MyNumberCard, PinResult
from device.card.presence import CardReader
from device.card.transport import CardTransport
from device.errors import CardGone
from device.secrets import Pin
from kiosk.issuer.protocol import OrderContent, authentication_message, authorisation_message


class CardSession:
    """An exclusive, open card. ``close`` may come from another thread at any time: later use raises CardGone."""

    def __init__(self, transport: CardTransport, card: MyNumberCard) -> None:
        self._transport, self._card = transport, card
        self._lock, self._open = threading.Lock(), True

    @classmethod
    def open(cls, reader: CardReader) -> CardSession:
        """Connect and select. Raises NotAMyNumberCard, CardGone, ReaderMissing, CardServiceDown."""
        transport = reader.connect()
        try:
            card = MyNumberCard(transport)
            card.select()
        except BaseException:
            transport.close()
            raise
        return cls(transport, card)

    def tries_left(self) -> int:
        """As the card says; costs no try."""
        with self._lock:
            return self._usable().tries_left()

    def verify(self, pin: Pin) -> PinResult:
        """Hand the PIN to the card, once."""
        with self._lock:
            return self._usable().verify(pin)

    def credential(self) -> bytes:
        """The card's X.509 credential for user authentication, DER."""
        with self._lock:
            return self._usable().credential()

    def sign_authentication(self, nonce: bytes, kiosk: str) -> bytes:
        """The first signature: this card is here, now."""
        with self._lock:
            return self._usable().sign(authentication_message(nonce, kiosk))

    def sign_authorisation(self, nonce: bytes, kiosk: str, content: OrderContent) -> bytes:
        """The second signature: the holder wants exactly this."""
        with self._lock:
            return self._usable().sign(authorisation_message(nonce, kiosk, content))

    def close(self) -> None:
        """Power the card down: no PIN state survives. Safe to repeat."""
        with self._lock:
            if self._open:
                self._open = False
                self._transport.close()

    def _usable(self) -> MyNumberCard:
        if not self._open:
            raise CardGone()
        return self._card
