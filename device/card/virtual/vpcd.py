"""The wire between the virtual card and pcscd: a TCP client of vpcd (docs/sources.md#virtual-reader).

The connection is the card's presence: connecting inserts it, closing takes it away.
"""

from __future__ import annotations

import select
import socket
import time

from device.card.virtual.card import ATR, VirtualCard

_POWER_OFF, _POWER_ON, _RESET, _GET_ATR = 0, 1, 2, 4
_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 5.0


class VpcdSlot:
    """One inserted card. ``step`` serves what pcscd asks; ``close`` withdraws the card. apdus: served so far."""

    def __init__(self, card: VirtualCard, host: str, port: int) -> None:
        """Raises OSError when no vpcd listens at ``host``:``port``."""
        self._card = card
        self.apdus = 0
        card.power_off()
        self._socket = socket.create_connection((host, port), timeout=_CONNECT_SECONDS)
        self._socket.settimeout(_ANSWER_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._quick()

    def step(self, wait_seconds: float, delay_seconds: float = 0.0) -> bool:
        """Serve one message, or return True after ``wait_seconds`` without any. False: vpcd hung up.

        ``delay_seconds``: how long the chip thinks over each APDU.
        """
        readable, _, _ = select.select([self._socket], [], [], wait_seconds)
        if not readable:
            return True
        try:
            message = self._message()
            if message is not None:
                self._serve(message, delay_seconds)
        except OSError:
            return False
        return message is not None

    def close(self) -> None:
        """Withdraw the card."""
        self._socket.close()

    def _serve(self, message: bytes, delay_seconds: float) -> None:
        if len(message) > 1:
            time.sleep(delay_seconds)
            self.apdus += 1
            self._send(self._card.transmit(message))
        elif message[:1] == bytes([_GET_ATR]):
            self._send(ATR)
        elif message[:1] in {bytes([_POWER_OFF]), bytes([_POWER_ON]), bytes([_RESET])}:
            self._card.power_off()

    def _message(self) -> bytes | None:
        length = self._exactly(2)
        return None if length is None else self._exactly(int.from_bytes(length, "big"))

    def _exactly(self, count: int) -> bytes | None:
        """``count`` bytes, None at the end of the stream."""
        received = b""
        while len(received) < count:
            part = self._socket.recv(count - len(received))
            self._quick()
            if not part:
                return None
            received += part
        return received

    def _send(self, payload: bytes) -> None:
        self._socket.sendall(len(payload).to_bytes(2, "big") + payload)

    def _quick(self) -> None:
        # vpcd writes length and data apart: without this Nagle waits 44 ms each time (docs/sources.md#virtual-reader).
        # The kernel forgets the option, so it is set again after every recv.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
