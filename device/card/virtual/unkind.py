"""A card that means ill: wraps the virtual card and answers within the standard, and so as to take for ever."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from device.card.apdu import OK, Command
from device.card.transport import CardTransport, Response

_READ, _MORE, _CERTIFICATE = 0xB0, 0x6100, b"\x30\x82"


class Unkindness(Enum):
    """ONE_BYTE: a READ of a long file gives one byte. EMPTY_CONTINUED, ENDLESS_CONTINUED: "there is more", without and
    with data, for ever. HUGE: a credential that says it has 65,535 bytes. SLOW: every command takes ``pause``.
    """

    ONE_BYTE = "one_byte"
    EMPTY_CONTINUED = "empty_continued"
    ENDLESS_CONTINUED = "endless_continued"
    HUGE = "huge"
    SLOW = "slow"


class UnkindCard:
    """Give it to VirtualReader as ``wrap``. pause: called for every command of a SLOW card. asked: commands so far."""

    def __init__(self, inner: CardTransport, how: Unkindness, pause: Callable[[], object] = lambda: None) -> None:
        self._inner, self._how, self._pause = inner, how, pause
        self._in_certificate = False
        self.asked = 0

    def transmit(self, apdu: bytes) -> Response:
        """See CardTransport."""
        self.asked += 1
        if self._how is Unkindness.SLOW:
            self._pause()
        if self._how is Unkindness.EMPTY_CONTINUED:
            return Response(b"", _MORE)
        if self._how is Unkindness.ENDLESS_CONTINUED:
            return Response(_CERTIFICATE, _MORE)
        return self._read(apdu, self._inner.transmit(apdu))

    def _read(self, apdu: bytes, answer: Response) -> Response:
        if Command.parse(apdu).ins != _READ or answer.sw != OK:
            return answer
        begins = answer.data.startswith(_CERTIFICATE)
        if self._how is Unkindness.HUGE and begins:
            return Response(_CERTIFICATE + b"\xff\xff" + answer.data[4:], OK)
        if self._how is Unkindness.ONE_BYTE and (begins or self._in_certificate):
            self._in_certificate = True
            return Response(answer.data[:4] if begins else answer.data[:1], OK)
        return answer

    def close(self) -> None:
        """See CardTransport."""
        self._inner.close()
