"""Counts, draws and reads back the pages of a PDF. Only importer of pypdfium2.

PDFium is not thread-safe, so one lock guards it for the whole process.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from device.errors import PrinterError

_pdfium = threading.Lock()
MAX_PIXELS = 40_000_000
"""Of a drawn page; a larger one is drawn coarser. A4 at 400 dpi has 15 million."""


class NotAPdf(PrinterError):
    """The bytes are no PDF that can be drawn. No facts."""

    code = "printer.not_a_pdf"


def load_library() -> None:
    """Load what reads a PDF now and not at the first page (a tenth of a second)."""
    import pypdfium2  # noqa: F401  # loaded, not used


@contextmanager
def _opened(pdf: bytes) -> Iterator[Any]:
    import pypdfium2

    with _pdfium:
        try:
            document = pypdfium2.PdfDocument(pdf)
        except pypdfium2.PdfiumError as error:
            raise NotAPdf from error
        try:
            yield document
        finally:
            document.close()


def page_count(pdf: bytes) -> int:
    """How many pages the PDF has. Raises NotAPdf."""
    with _opened(pdf) as document:
        return len(document)


def page_png(pdf: bytes, page: int, dpi: int = 150) -> bytes:
    """Page ``page`` (from 0) drawn at ``dpi``, as PNG. Raises NotAPdf."""
    import io

    with _opened(pdf) as document:
        sheet = document[page]
        width, height = sheet.get_size()
        scale = min(dpi / 72, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
        bitmap = sheet.render(scale=scale)
        file = io.BytesIO()
        bitmap.to_pil().save(file, "PNG")
        return file.getvalue()


def page_texts(pdf: bytes) -> list[str]:
    """The text of every page in reading order, lines ended by CR LF. Raises NotAPdf, also for one broken page."""
    import pypdfium2

    with _opened(pdf) as document:
        try:
            return [str(page.get_textpage().get_text_bounded()) for page in document]
        except pypdfium2.PdfiumError as error:
            raise NotAPdf from error


def is_scan(pdf: bytes) -> bool:
    """Whether every page is one picture and nothing else, as a scanner makes it. Raises NotAPdf."""
    import pypdfium2

    with _opened(pdf) as document:
        try:
            return len(document) > 0 and all(_is_picture(page) for page in document)
        except pypdfium2.PdfiumError as error:
            raise NotAPdf from error


def _is_picture(page: Any) -> bool:
    from pypdfium2 import raw

    kinds = [found.type for found in page.get_objects(max_depth=1)]
    return kinds == [raw.FPDF_PAGEOBJ_IMAGE] and raw.FPDFPage_GetAnnotCount(page) == 0
