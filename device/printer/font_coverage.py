"""Which characters a TrueType/OpenType font has glyphs for: a pure reader of its ``cmap`` table (formats 4 and 12).

Source: OpenType specification, "cmap".
"""

from __future__ import annotations

import struct

_FORMATS = (12, 4)


def coverage(content: bytes, number: int = 0) -> frozenset[int]:
    """Code points the font maps to a glyph. number: of the face in a collection. Raises ValueError when the bytes are
    not a font with a Unicode cmap.
    """
    font = memoryview(content)
    try:
        cmap = font[_table(font, b"cmap", number) :]
        (count,) = struct.unpack_from(">H", cmap, 2)
        subtables = [struct.unpack_from(">HHI", cmap, 4 + 8 * i) for i in range(count)]
        found = {struct.unpack_from(">H", cmap, at)[0]: at for platform, _, at in subtables if platform in (0, 3)}
        for wanted in _FORMATS:
            if wanted in found:
                return frozenset(_READERS[wanted](cmap[found[wanted] :]))
    except (struct.error, IndexError) as error:
        raise ValueError("not a font") from error
    raise ValueError("no Unicode cmap")


def _table(font: memoryview, tag: bytes, number: int) -> int:
    start = struct.unpack_from(">I", font, 12 + 4 * number)[0] if bytes(font[:4]) == b"ttcf" else 0
    (count,) = struct.unpack_from(">H", font, start + 4)
    for i in range(count):
        name, _, offset, _ = struct.unpack_from(">4sIII", font, start + 12 + 16 * i)
        if name == tag:
            return int(offset)
    raise ValueError(f"no {tag.decode()} table")


def _format_12(table: memoryview) -> set[int]:
    (count,) = struct.unpack_from(">I", table, 12)
    points: set[int] = set()
    for i in range(count):
        first, last, glyph = struct.unpack_from(">III", table, 16 + 12 * i)
        points.update(range(first if glyph else first + 1, last + 1))
    return points


def _format_4(table: memoryview) -> set[int]:
    (twice,) = struct.unpack_from(">H", table, 6)
    count = twice // 2
    ends, starts = (struct.unpack_from(f">{count}H", table, at) for at in (14, 16 + twice))
    deltas = struct.unpack_from(f">{count}h", table, 16 + 2 * twice)
    offsets_at = 16 + 3 * twice
    offsets = struct.unpack_from(f">{count}H", table, offsets_at)
    points: set[int] = set()
    for i, (start, end, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        for point in range(start, end + 1):
            if offset:
                (glyph,) = struct.unpack_from(">H", table, offsets_at + 2 * i + offset + 2 * (point - start))
            else:
                glyph = (point + delta) & 0xFFFF
            if glyph:
                points.add(point)
    return points


_READERS = {12: _format_12, 4: _format_4}
