"""Renders a sheet to PDF with typst and IPAmj Mincho; the only importer of typst.

Compiler and fonts are made once and kept; one rendering at a time a process. May import: kiosk.issuer.{sheet,glyphs}.
"""

from __future__ import annotations

import re
import threading
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec

from kiosk.issuer.sheet import Sheet

TEMPLATE = "residence_record.typ"


class Rendered(NamedTuple):
    """A PDF of all copies, and how many pages all of them take together."""

    pdf: bytes
    pages: int


class Press:
    """A typst compiler that knows one template and one font, and no font besides: nothing can be substituted (N12)."""

    def __init__(self, font: Path) -> None:
        import typst

        folder = Path(str(resources.files("kiosk.issuer").joinpath("templates")))
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[font.parent])
        self._compiler = typst.Compiler(folder / TEMPLATE, root=folder, font_paths=fonts, sys_inputs={})
        self._lock = threading.Lock()  # the compiler keeps the sheet between calls, and must not be entered twice

    def render(self, sheet: Sheet, at: datetime) -> Rendered:
        """All copies, one after another. The same sheet at the same moment gives the same bytes."""
        inputs = {"sheet": msgspec.json.encode(sheet).decode()}
        with self._lock:
            pdf = self._compiler.compile(format="pdf", sys_inputs=inputs, timestamp=at.replace(microsecond=0))
        if not isinstance(pdf, bytes):
            raise TypeError("typst gave no PDF")
        return Rendered(pdf, count_pages(pdf))


def count_pages(pdf: bytes) -> int:
    """From the page tree that typst writes in clear."""
    counts = re.findall(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)", pdf)
    return max(int(c) for c in counts)
