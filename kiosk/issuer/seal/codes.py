"""QR codes (ISO/IEC 18004) onto pages and off pictures; the only importer of zxingcpp."""

from __future__ import annotations

import struct
import zlib
from typing import Any


def png_of(text: str) -> bytes:
    """The code of ``text`` at error correction level M as a PNG of one pixel a module, without its quiet zone."""
    import zxingcpp

    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    pixels: Any = made.to_image(add_quiet_zones=False)  # a buffer, which its stub does not say before Python 3.12
    rows: Any = memoryview(pixels).tolist()  # two dimensions
    size, wide = len(rows), (len(rows) + 7) // 8
    lines = [int("".join("1" if grey else "0" for grey in row), 2) << (wide * 8 - size) for row in rows]
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


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
