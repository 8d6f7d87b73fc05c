"""The codes of a paper: drawn blank by the press, so that what they sign is known, then put into their place. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

from device.qr import Pixels, png_of_pixels
from device.strict_pdf.document import PdfFile, PdfObject, written
from device.strict_pdf.page_rules import is_code
from device.strict_pdf.syntax import refused

_BITS = 16


def blank_code(place: int, side: int) -> bytes:
    """A PNG of ``side`` pixels that stands for the code of page ``place`` (from 0): white, its number in the first row.
    No two are the same, or the press would keep one of them.
    """
    number = b"".join(b"\xff" if place >> bit & 1 else b"\0" for bit in range(_BITS))
    return png_of_pixels(Pixels(side, number + b"\xff" * (side * side - _BITS)))


def with_codes(file: PdfFile, codes: Sequence[Pixels]) -> bytes:
    """The file with ``codes`` in the place of its blank ones, by their numbers. Raises NotOurPdf when a blank one is
    missing or of another size.
    """
    found = {number: _place_of(one) for number, one in file.objects.items() if is_code(one)}
    if sorted(found.values()) != list(range(len(codes))):
        raise refused("picture")
    filled = {number: _filled(file.objects[number], codes[place]) for number, place in found.items()}
    return written(replace(file, objects={**file.objects, **filled}))


def _place_of(blank: PdfObject) -> int:
    return sum(1 << bit for bit, pixel in enumerate(blank.stream()[:_BITS]) if pixel)


def _filled(blank: PdfObject, code: Pixels) -> PdfObject:
    entries = blank.dictionary
    if (entries.get("Width"), entries.get("Height"), len(blank.stream())) != (code.side, code.side, code.side**2):
        raise refused("picture")
    return blank.with_stream(zlib.compress(code.grey, 6))
