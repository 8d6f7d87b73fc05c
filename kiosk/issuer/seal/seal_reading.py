"""Finds the seals in a file: a PDF, a picture of a page (a scan, a photograph), or a code's text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.printer.pdf_drawing import NotAPdf, page_png, page_texts
from device.qr import texts_in
from kiosk.issuer.seal.seal import PREFIX, Judged, Verdict, judge

_DPI = 200  # a module of 0.42 mm is three pixels and more


def judge_file(content: bytes, keys: Mapping[str, Ed25519PublicKey]) -> list[Judged]:
    """One answer for each page of a PDF, with its text compared; for each code in a picture or in a text, where nothing
    can be compared. At least one: UNKNOWN when there is no seal at all.
    """
    if content.startswith(b"%PDF"):
        return list(_pages(content, keys)) or [Judged(Verdict.UNKNOWN)]
    seals = [text for text in texts_in(content) if text.startswith(PREFIX)] or _written(content)
    return [judge(seal, keys) for seal in seals] or [Judged(Verdict.UNKNOWN)]


def compared(content: bytes) -> bool:
    """Whether ``judge_file`` can compare the page's text with the seal."""
    return content.startswith(b"%PDF")


def _pages(pdf: bytes, keys: Mapping[str, Ed25519PublicKey]) -> Iterator[Judged]:
    """Two seals on one page count as none: neither can be assigned to the page."""
    try:
        texts = page_texts(pdf)
    except NotAPdf:
        return
    for place, text in enumerate(texts):
        seals = [seal for seal in texts_in(page_png(pdf, place, _DPI)) if seal.startswith(PREFIX)]
        yield judge(seals[0], keys, text) if len(seals) == 1 else Judged(Verdict.UNKNOWN)


def _written(content: bytes) -> list[str]:
    try:
        lines = content.decode("ascii").splitlines()
    except UnicodeDecodeError:
        return []
    return [line.strip("\r\n") for line in lines if line.startswith(PREFIX)]
