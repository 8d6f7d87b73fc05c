"""The Wi-Fi's QR code: what is drawn is what a phone reads."""

from __future__ import annotations

import re
import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from device.qr import texts_in
from kiosk.services.plaza.wifi_code import picture_of, wifi_uri

SCALE = 4


def drawn(side: int, path: str) -> bytes:
    """The path as a PNG, SCALE pixels a module."""
    rows = [bytearray(b"\xff" * side * SCALE) for _ in range(side)]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path):
        start, end = int(x) * SCALE, (int(x) + int(width)) * SCALE
        rows[int(y)][start:end] = bytes(end - start)
    content = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows for _ in range(SCALE)))
    head = struct.pack(">IIBBBBB", side * SCALE, side * SCALE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*part) for part in ((b"IHDR", head), (b"IDAT", content), (b"IEND", b""))
    )


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=32))
def test_a_phone_reads_what_was_drawn(ssid: str) -> None:
    side, path = picture_of(wifi_uri(ssid))
    assert texts_in(drawn(side, path)) == [wifi_uri(ssid)]
