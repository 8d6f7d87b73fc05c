"""The codes of papers: what the issuer draws onto a page, and reads off a picture of one."""

from __future__ import annotations

from device.qr import png_of, texts_in

__all__ = ["png_of", "texts_in"]
