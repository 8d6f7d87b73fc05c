"""Says a one-bit picture in ESC/POS: pure encoder.

Source: Epson ESC/POS reference (commands named beside each function), docs/sources.md#receipt-commands. All bytes are
ours, so that every byte that leaves for the printer is under test; python-escpos only carries them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

BAND = 256
"""Rows per raster command: small enough for a printer's receive buffer."""

INIT = b"\x1b@"
"""ESC @: settings to default."""
NO_AUTOMATIC_STATUS = b"\x1da\x00"
"""GS a 0: the printer speaks only when asked, so that every answer has a question."""
FEED_AND_CUT = b"\x1dVB\x00"
"""GS V 66 0: feed to the cutter, then a partial cut."""
ASK_IN_ORDER = b"\x1dr\x01"
"""GS r 1: paper sensor status, answered in order behind all data before it (unlike DLE EOT)."""
CLEAR = b"\x10\x05\x02" + b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
"""DLE ENQ 2 and DLE DC4 8: leave an error and clear receive and print buffers, in real time."""

REAL_TIME = re.compile(rb"\x10(?=[\x04\x05\x14])")
"""DLE before EOT, ENQ or DC4: obeyed anywhere in the stream, even within a picture."""


def ask_now(n: int) -> bytes:
    """DLE EOT n: real-time status, n from 1 to 4 (printer, offline cause, error cause, paper)."""
    return bytes((0x10, 0x04, n))


def page(bits: bytes, width: int, height: int) -> bytes:
    """A whole receipt: set up, the picture in bands, cut, and the question whose answer proves the end.

    ``bits`` as in picture.py; ``width`` in dots, a multiple of 8.
    """
    body = b"".join(bands(bits, width, height))
    return INIT + NO_AUTOMATIC_STATUS + body + FEED_AND_CUT + ASK_IN_ORDER


def bands(bits: bytes, width: int, height: int) -> Iterator[bytes]:
    """``GS v 0`` commands of at most BAND rows each, free of real-time sequences."""
    stride = width // 8
    for top in range(0, height, BAND):
        rows = min(BAND, height - top)
        piece = without_real_time(bits[top * stride : (top + rows) * stride])
        yield b"\x1dv0\x00" + stride.to_bytes(2, "little") + rows.to_bytes(2, "little") + piece


def without_real_time(bits: bytes) -> bytes:
    """``bits`` with one more black dot wherever the printer would read a real-time command.

    0x11 begins no command and ends none, so the cure makes no new case; one dot is an eighth of a millimetre.
    """
    return REAL_TIME.sub(b"\x11", bits)
