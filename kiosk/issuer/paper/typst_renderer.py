"""Draws a paper to PDF with typst and IPAmj Mincho; the only importer of typst.

Compiler and fonts are made once and kept; one rendering at a time a process.
"""

from __future__ import annotations

import re
import threading
from datetime import datetime
from pathlib import Path

import msgspec

from kiosk.issuer.errors import PaperOverrun
from kiosk.issuer.paper.composition import Paper

_MAIN = '#import "{layout}": draw\n{under}#draw(json(bytes("{paper}")))\n'
_SPECIMEN = '#import "/paper/specimen.typ": specimen\n#set page(background: specimen)\n'
"""Under every page's own text, whatever the kind: paper that nobody takes for a certificate."""
_COUNT = re.compile(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)")


class TypstRenderer:
    """A typst compiler with one font and none besides, so nothing can be substituted (N12). root: the folder below
    which the layouts lie; a layout can read nothing outside it. specimen: for demo and training, 見本 across each page.
    """

    def __init__(self, font: Path, root: Path, *, specimen: bool = False) -> None:
        import typst

        self._under = _SPECIMEN if specimen else ""
        self._root = root
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[font.parent])
        self._compiler = typst.Compiler(b"", root=root, font_paths=fonts)
        self._lock = threading.Lock()  # the compiler keeps the paper between calls, and must not be entered twice

    def render(self, layout: Path, paper: Paper, at: datetime) -> bytes:
        """The PDF that the ``draw`` of ``layout`` makes. The same paper at the same moment gives the same bytes. Raises
        PaperOverrun when it takes other pages than were planned.
        """
        source = quoted(f"/{layout.relative_to(self._root).as_posix()}")
        drawn = quoted(msgspec.json.encode(paper).decode())
        main = _MAIN.format(layout=source, under=self._under, paper=drawn).encode()
        moment = at.replace(microsecond=0)
        with self._lock:  # without tags: the document is printed, never read on a screen
            pdf = self._compiler.compile(main, format="pdf", timestamp=moment, pdf_tags=False)
        if not isinstance(pdf, bytes):
            raise TypeError("typst gave no PDF")
        if (pages := count_pages(pdf)) != len(paper.pages):
            raise PaperOverrun(pages=pages, planned=len(paper.pages))
        return pdf


def quoted(text: str) -> str:
    """``text`` as it stands inside a typst string. JSON holds no control character, so two characters are enough."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def count_pages(pdf: bytes) -> int:
    """From the page tree that typst writes in clear."""
    return max(int(count) for count in _COUNT.findall(pdf))
