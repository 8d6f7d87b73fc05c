"""QR codes as rows of modules. Only importer of segno."""

from __future__ import annotations

from functools import lru_cache

QUIET = 4
"""Quiet zone in modules (ISO/IEC 18004 §6.3.8)."""


@lru_cache(maxsize=16)
def modules(text: str) -> tuple[bytes, ...]:
    """Rows of modules (one byte each, 1 = black), quiet zone included; error correction level M."""
    import segno

    code = segno.make(text, error="m", micro=False, boost_error=False)
    return tuple(bytes(row) for row in code.matrix_iter(border=QUIET))
