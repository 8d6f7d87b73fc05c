"""A real PC/SC reader; the only importer of pyscard, and only of its thin ``scard`` layer.

pyscard's CardMonitor is not used: its hidden thread ends when pcscd restarts (docs/sources.md#pyscard-monitor). Every
connection is exclusive, has its own context, and powers the card down at its end, since otherwise the next connection
could sign without a PIN (docs/sources.md#pcsc-service). libpcsclite itself reads PCSCLITE_CSOCK_NAME from the
environment, once a process.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from smartcard import scard

from device.card.allow_list import AllowListed
from device.card.presence import Presence
from device.card.settings import CardSettings
from device.card.transport import CardTransport, Response
from device.errors import CardError, CardGone, CardServiceDown, ReaderBusy, ReaderMissing

# pyscard is untyped: its answers are Any until this file has looked at them.
_ERRORS: dict[int, type[CardError]] = {
    scard.SCARD_E_NO_SERVICE: CardServiceDown,
    scard.SCARD_E_SERVICE_STOPPED: CardServiceDown,
    scard.SCARD_F_COMM_ERROR: CardServiceDown,
    scard.SCARD_E_INVALID_HANDLE: CardServiceDown,
    scard.SCARD_E_NO_READERS_AVAILABLE: ReaderMissing,
    scard.SCARD_E_READER_UNAVAILABLE: ReaderMissing,
    scard.SCARD_E_UNKNOWN_READER: ReaderMissing,
    scard.SCARD_E_SHARING_VIOLATION: ReaderBusy,
    scard.SCARD_E_NO_SMARTCARD: CardGone,
    scard.SCARD_E_NOT_TRANSACTED: CardGone,
    scard.SCARD_E_PROTO_MISMATCH: CardGone,
    scard.SCARD_W_REMOVED_CARD: CardGone,
    scard.SCARD_W_RESET_CARD: CardGone,
    scard.SCARD_W_UNPOWERED_CARD: CardGone,
    scard.SCARD_W_UNRESPONSIVE_CARD: CardGone,
    scard.SCARD_W_UNSUPPORTED_CARD: CardGone,
}
_ANY_PROTOCOL = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1


class PcscReader:
    """The first reader whose name contains ``settings.reader``."""

    def __init__(self, settings: CardSettings) -> None:
        self._name = settings.reader
        self._lock = threading.Lock()
        self._context: int | None = None

    def presence(self) -> Presence:
        """See CardReader. A new context is made when the service came back since the last call."""
        with self._lock:
            try:
                return self._look()
            except CardServiceDown:
                self._forget()
            try:
                return self._look()
            except CardServiceDown:
                self._forget()
                return Presence.NO_SERVICE

    def connect(self) -> CardTransport:
        """See CardReader."""
        context = _establish()
        try:
            card, protocol = _checked(
                scard.SCardConnect(context, self._reader(context), scard.SCARD_SHARE_EXCLUSIVE, _ANY_PROTOCOL)
            )
        except CardError:
            scard.SCardReleaseContext(context)
            raise
        return AllowListed(_Connection(_Handles(context, int(card), int(protocol))))

    def close(self) -> None:
        """Let go of the service. Safe to repeat; ``presence`` opens it again."""
        with self._lock:
            self._forget()

    def _look(self) -> Presence:
        if self._context is None:
            self._context = _establish()
        try:
            states = [(self._reader(self._context), scard.SCARD_STATE_UNAWARE)]
            # Timeout 0 with UNAWARE answers at once with the state as it is.
            (((_, state, _),),) = _checked(scard.SCardGetStatusChange(self._context, 0, states))
        except ReaderMissing:
            return Presence.NO_READER
        except CardServiceDown:
            raise
        except CardError as error:
            raise CardServiceDown from error  # an answer nobody knows: begin anew with a fresh context
        return _PRESENCE.get(state & _STATE_BITS, Presence.EMPTY)

    def _reader(self, context: int) -> str:
        (names,) = _checked(scard.SCardListReaders(context, []))
        found = [str(name) for name in names if self._name in str(name)]
        if not found:
            raise ReaderMissing
        return found[0]

    def _forget(self) -> None:
        if self._context is not None:
            scard.SCardReleaseContext(self._context)
            self._context = None


_STATE_BITS = (
    scard.SCARD_STATE_PRESENT | scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_EMPTY
)
_PRESENCE = {
    scard.SCARD_STATE_PRESENT: Presence.PRESENT,
    scard.SCARD_STATE_EMPTY: Presence.EMPTY,
    scard.SCARD_STATE_UNAVAILABLE: Presence.NO_READER,
    scard.SCARD_STATE_UNKNOWN: Presence.NO_READER,
}


class _Handles(NamedTuple):
    context: int
    card: int
    protocol: int


class _Connection:
    def __init__(self, handles: _Handles) -> None:
        self._handles: _Handles | None = handles
        self._torn = False
        self._lock = threading.Lock()

    def transmit(self, apdu: bytes) -> Response:
        """See CardTransport."""
        with self._lock:
            if self._handles is None or self._torn:
                raise CardGone
            pci = scard.SCARD_PCI_T1 if self._handles.protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
            (answer,) = _checked(scard.SCardTransmit(self._handles.card, pci, list(apdu)))
            # A card taken while it was answering: the driver reports success and hands over less than a status word.
            self._torn = not isinstance(answer, list) or len(answer) < 2
            if self._torn:
                raise CardGone
            raw = bytes(answer)
            return Response(raw[:-2], int.from_bytes(raw[-2:], "big"))

    def close(self) -> None:
        """See CardTransport."""
        with self._lock:
            handles, self._handles = self._handles, None
            if handles is not None:
                # Also when the card is gone or the service died: there is nothing more to be done about either.
                scard.SCardDisconnect(handles.card, scard.SCARD_UNPOWER_CARD)
                scard.SCardReleaseContext(handles.context)


def _establish() -> int:
    (context,) = _checked(scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM))
    return int(context)


def _checked(answer: Any) -> tuple[Any, ...]:
    """What follows the result code. Raises the card error that stands for a code other than success."""
    code, *rest = answer if isinstance(answer, list | tuple) else (answer,)
    if code == scard.SCARD_S_SUCCESS:
        return tuple(rest)
    raise _ERRORS.get(code, CardError)(pcsc=f"{code & 0xFFFFFFFF:08X}")
