"""The last gate before paper (N1): reads the document back and compares every page with this visit's request.

The file must hold nothing but what the city's press makes (device.strict_pdf, as ``hiroba verify`` looks), so that what
is printed is what is read here; and each page must carry exactly one mark, the one of its own place, request and
resident (protocol.page_mark). Whatever else it finds is a Mismatch, also what it cannot read. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from device.printer.pdf_drawing import NotAPdf, page_texts
from device.strict_pdf.page_rules import OUR_PAPERS, PageRules, check_pages
from device.strict_pdf.syntax import NotOurPdf
from kiosk.issuer.protocol import Document, page_mark

_ANY_MARK = re.compile(r"\d+/\d+-[0-9A-F]{16}(?![0-9A-F])")


@dataclass(frozen=True)
class Matches:
    """Every page belongs to this request of this resident."""

    pages: int


@dataclass(frozen=True)
class Mismatch:
    """The document must be destroyed. page: the first wrong one from 1; 0 when the document as a whole is wrong."""

    page: int


def check(
    document: Document, request: str, binding: str, pages: int, rules: PageRules = OUR_PAPERS
) -> Matches | Mismatch:
    """Whether ``document`` holds exactly the ``pages`` sides (all copies) of ``request`` for this ``binding``, and
    nothing that ``rules`` do not know.
    """
    digest = hashlib.sha256(document.pdf).hexdigest()
    if not hmac.compare_digest(digest, document.sha256) or document.pages != pages:
        return Mismatch(0)
    try:
        check_pages(document.pdf, rules)
        texts = page_texts(document.pdf)
    except (NotAPdf, NotOurPdf):
        return Mismatch(0)
    return compare(texts, request, binding, pages)


def compare(texts: Sequence[str], request: str, binding: str, pages: int) -> Matches | Mismatch:
    """Like ``check``, for the texts of the pages."""
    for place, text in enumerate(texts, 1):
        if _ANY_MARK.findall(text) != [page_mark(request, binding, place, pages)]:
            return Mismatch(place)
    return Matches(pages) if len(texts) == pages > 0 else Mismatch(0)
