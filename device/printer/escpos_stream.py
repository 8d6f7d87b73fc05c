"""Reads an ESC/POS stream back: pure tokenisers, fed in pieces of any size.

A printer reads twice: real-time commands the moment they arrive, wherever they stand (RealTimeScanner), all others
in order out of its buffer (Tokeniser). Source: Epson ESC/POS reference.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_RASTER_BYTES = 4_000_000
"""Bytes of one raster command that a printer would hold; more is no picture."""


@dataclass(frozen=True)
class AskNow:
    """DLE EOT n."""

    n: int


@dataclass(frozen=True)
class Recover:
    """DLE ENQ n: 1 resume, 2 clear."""

    n: int


@dataclass(frozen=True)
class ClearBuffers:
    """DLE DC4 8."""


RealTime = AskNow | Recover | ClearBuffers

_CLEAR_BUFFERS = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"


class RealTimeScanner:
    """Finds real-time commands in bytes as they arrive."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, piece: bytes) -> list[tuple[RealTime, int]]:
        """The real-time commands completed by ``piece``, each with the place in ``piece`` where it ends."""
        stream, before = self._tail + piece, len(self._tail)
        found: list[tuple[RealTime, int]] = []
        at = stream.find(0x10)
        while at >= 0:
            command, size = _real_time(stream[at : at + len(_CLEAR_BUFFERS)])
            if size == 0:
                self._tail = stream[at:]
                return found
            if command:
                found.append((command, at + size - before))
            at = stream.find(0x10, at + size)
        self._tail = b""
        return found


def _real_time(window: bytes) -> tuple[RealTime | None, int]:
    """The command that begins ``window`` and its size; no command is one byte, size 0 asks for more bytes."""
    if len(window) < 3:
        begins = len(window) < 2 or window[1] in (0x04, 0x05, 0x14)
        return None, 0 if begins else 1
    if window[1] == 0x04 and 1 <= window[2] <= 8:
        return AskNow(window[2]), 3
    if window[1] == 0x05 and window[2] <= 3:
        return Recover(window[2]), 3
    if window == _CLEAR_BUFFERS:
        return ClearBuffers(), len(window)
    return None, 0 if _CLEAR_BUFFERS.startswith(window) else 1


@dataclass(frozen=True)
class Init:
    """ESC @."""


@dataclass(frozen=True)
class Raster:
    """GS v 0: packed bits, ``stride`` bytes a row, ``rows`` rows."""

    stride: int
    rows: int
    bits: bytes


@dataclass(frozen=True)
class Cut:
    """GS V, any kind."""


@dataclass(frozen=True)
class AskInOrder:
    """GS r n."""

    n: int


@dataclass(frozen=True)
class AutomaticStatus:
    """GS a n."""

    n: int


@dataclass(frozen=True)
class Feed:
    """Paper forward by ``dots``."""

    dots: int


@dataclass(frozen=True)
class Skipped:
    """Bytes that make no mark: text (never sent by us), a real-time command met in order, an unknown command."""

    data: bytes


Token = Init | Raster | Cut | AskInOrder | AutomaticStatus | Feed | Skipped

_LINE = 30
"""Default line spacing in dots at 203 dpi."""


class Tokeniser:
    """Turns bytes into tokens, in order; keeps an unfinished command until its rest comes."""

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def holds(self) -> int:
        """Bytes of an unfinished command."""
        return len(self._held)

    def feed(self, piece: bytes) -> list[Token]:
        """The tokens completed by ``piece``."""
        self._held += piece
        tokens: list[Token] = []
        at = 0
        while at < len(self._held):
            token, size = _token(memoryview(self._held)[at:])
            if token is None:
                break
            tokens.append(token)
            at += size
        del self._held[:at]
        return tokens

    def clear(self) -> None:
        """Forget the unfinished command."""
        self._held.clear()


def _token(data: memoryview) -> tuple[Token | None, int]:
    """The token at the start of ``data`` and its size; None when bytes are missing. Always makes progress."""
    first = data[0]
    if first == 0x1D:
        return _group(data)
    if first == 0x1B:
        return _escape(data)
    if first == 0x10:
        return _passed(data)
    if first == 0x0A:
        return Feed(_LINE), 1
    return Skipped(bytes(data[:1])), 1


def _passed(data: memoryview) -> tuple[Token | None, int]:
    """A real-time command was obeyed on arrival; met again in order it is passed over."""
    _, size = _real_time(bytes(data[: len(_CLEAR_BUFFERS)]))
    return (Skipped(bytes(data[:size])), size) if size else (None, 0)


def _escape(data: memoryview) -> tuple[Token | None, int]:
    if len(data) < 2:
        return None, 0
    if data[1] == 0x40:
        return Init(), 2
    if data[1] in (0x4A, 0x64):  # ESC J n dots, ESC d n lines
        unit = 1 if data[1] == 0x4A else _LINE
        return (Feed(data[2] * unit), 3) if len(data) > 2 else (None, 0)
    return Skipped(bytes(data[:2])), 2


def _group(data: memoryview) -> tuple[Token | None, int]:
    if len(data) < 3:
        return None, 0
    second, third = data[1], data[2]
    if second == 0x56:
        size = 4 if third >= 0x41 else 3
        return (Cut(), size) if len(data) >= size else (None, 0)
    if second == 0x72:
        return AskInOrder(third), 3
    if second == 0x61:
        return AutomaticStatus(third), 3
    if second == 0x76:
        return _raster(data)
    return Skipped(bytes(data[:2])), 2


def _raster(data: memoryview) -> tuple[Token | None, int]:
    if len(data) < 8:
        return None, 0
    stride, rows = int.from_bytes(data[4:6], "little"), int.from_bytes(data[6:8], "little")
    if data[2] != 0x30 or stride * rows > MAX_RASTER_BYTES:
        return Skipped(bytes(data[:2])), 2
    end = 8 + stride * rows
    return (Raster(stride, rows, bytes(data[8:end])), end) if len(data) >= end else (None, 0)
