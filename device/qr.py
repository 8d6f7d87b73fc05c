"""QR codes (ISO/IEC 18004): drawn and read; the only importer of zxingcpp.

Codes have error correction level M. The library loads where the first code is drawn or read (cold start).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

QUIET = 4
"""Quiet zone in modules (ISO/IEC 18004 §6.3.8)."""
_ZOOM = 4
"""Pixels a module where a code is read back from its modules."""
_DIGIT = bytes.maketrans(b"\x00\xff", b"01")
_MODULE = bytes.maketrans(b"\x00\xff", b"\x01\x00")


@dataclass(frozen=True)
class Pixels:
    """A square picture: ``side`` rows of ``side`` bytes, 0 black and 255 white."""

    side: int
    grey: bytes


@lru_cache(maxsize=16)
def modules(text: str) -> tuple[bytes, ...]:
    """Rows of modules (one byte each, 1 = black), quiet zone included. Raises ValueError for a text too long."""
    rows = _drawn(text)
    side = bytes(QUIET)
    empty = bytes(len(rows) + 2 * QUIET)
    inner = (side + row.translate(_MODULE) + side for row in rows)
    return (*[empty] * QUIET, *inner, *[empty] * QUIET)


def png_of(text: str) -> bytes:
    """The code as a PNG of one pixel a module, without its quiet zone. Raises ValueError for a text too long."""
    return png_of_pixels(pixels_of(text))


def pixels_of(text: str) -> Pixels:
    """The code of one pixel a module, without its quiet zone. Raises ValueError for a text too long."""
    rows = _drawn(text)
    return Pixels(len(rows), b"".join(rows))


@lru_cache(maxsize=64)
def side_of(length: int) -> int:
    """Modules on a side of the code of a text of ``length`` characters in capitals and digits (alphanumeric mode)."""
    return pixels_of("A" * length).side


def png_of_pixels(pixels: Pixels) -> bytes:
    """A square picture of black (0) and white (255) pixels as PNG."""
    size, wide = pixels.side, (pixels.side + 7) // 8
    rows = [pixels.grey[place : place + size] for place in range(0, size * size, size)]
    lines = [int(row.translate(_DIGIT), 2) << (wide * 8 - size) for row in rows]
    content = zlib.compress(b"".join(b"\0" + line.to_bytes(wide) for line in lines), 1)
    head = struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)  # ISO/IEC 15948 §11.2.2: one bit of grey
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")


def texts_in(picture: bytes) -> list[str]:
    """The texts of all QR codes in a picture (PNG, JPEG); none when it is no picture."""
    import zxingcpp

    from device.printer.picture import grey_of  # Pillow is of no use to who only writes codes

    if (found := grey_of(picture)) is None:
        return []
    grey, width, height = found
    seen = memoryview(grey).cast("B", (height, width))
    return [code.text for code in zxingcpp.read_barcodes(seen, zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))]


def text_in_pixels(pixels: Pixels) -> str | None:
    """The text of a code of one pixel a module without its quiet zone (0 black, 255 white); None: it is no code."""
    import zxingcpp

    side, grey = pixels.side, pixels.grey
    wide, empty = (side + 2 * QUIET) * _ZOOM, b"\xff" * (QUIET * _ZOOM)
    rows = [grey[place : place + side] for place in range(0, side * side, side)]
    lines = [empty + b"".join(bytes((pixel,)) * _ZOOM for pixel in row) + empty for row in rows]
    edge = [b"\xff" * wide] * (QUIET * _ZOOM)
    picture = b"".join([*edge, *(line for line in lines for _ in range(_ZOOM)), *edge])
    seen = memoryview(picture).cast("B", (wide, wide))
    found = zxingcpp.read_barcodes(seen, zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return str(found[0].text) if len(found) == 1 else None


def _drawn(text: str) -> list[bytes]:
    """Rows of pixels, one a module: 0 black, 255 white. Beyond ASCII the code says that it is UTF-8 (ECI 26); a reader
    would guess among Latin-1, Shift JIS and UTF-8.
    """
    import zxingcpp

    said = {} if text.isascii() else {"eci": "UTF-8"}
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M", **said)
    pixels: Any = made.to_image(add_quiet_zones=False)  # a buffer, which its stub does not say before Python 3.12
    return [bytes(row) for row in memoryview(pixels).tolist()]


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
