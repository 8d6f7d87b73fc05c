"""The QR code with which a phone joins a Wi-Fi that asks for no password, as an SVG path. Pure.

The text is that of ZXing's wiki ("Barcode Contents", Wi-Fi Network config), which Android and iOS read.
"""

from __future__ import annotations

from typing import NamedTuple

from device.qr import modules


class QrPicture(NamedTuple):
    """side: modules along one side, quiet zone included. path: the black ones, as ``<path d>`` says them."""

    side: int
    path: str


def wifi_uri(ssid: str) -> str:
    """What the code says. Special characters are escaped."""
    escaped = "".join(f"\\{sign}" if sign in '\\;,":' else sign for sign in ssid)
    return f"WIFI:T:nopass;S:{escaped};;"


def picture_of(text: str) -> QrPicture:
    """The QR code of ``text``: one run of black modules after the other, row by row."""
    rows = modules(text)
    return QrPicture(len(rows), "".join(_runs(row, y) for y, row in enumerate(rows)))


def _runs(row: bytes, y: int) -> str:
    found, start = [], None
    for x, black in enumerate((*row, 0)):
        if black and start is None:
            start = x
        elif not black and start is not None:
            found.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
            start = None
    return "".join(found)
