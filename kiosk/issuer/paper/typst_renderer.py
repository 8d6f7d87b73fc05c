"""Renders a paper as PDF with typst and IPAmj Mincho."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import msgspec

from device.typst_compiler import TypstCompiler
from kiosk.issuer.errors import PaperOverrun
from kiosk.issuer.paper.composition import Paper

_MAIN = '#import "{layout}": draw\n{under}#draw(json(bytes("{paper}")))\n'
_SPECIMEN = '#import "/paper/specimen.typ": specimen\n#set page(background: specimen)\n'
"""Under every page's own text, whatever the kind: paper that nobody takes for a certificate."""
_COUNT = re.compile(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)")


class TypstRenderer:
    """Only IPAmj Mincho, so that no character is drawn by another font (N12). root: the folder of the layouts.
    specimen: for demo and training, 見本 across each page.
    """

    def __init__(self, font: Path, root: Path, *, specimen: bool = False) -> None:
        self._under = _SPECIMEN if specimen else ""
        self._root = root
        self._compiler = TypstCompiler(root, [font.parent])

    def render(self, layout: Path, paper: Paper, at: datetime) -> bytes:
        """The PDF that the ``draw`` of ``layout`` makes. The same paper at the same moment gives the same bytes. Raises
        PaperOverrun when it takes other pages than were planned.
        """
        source = quoted(f"/{layout.relative_to(self._root).as_posix()}")
        drawn = quoted(msgspec.json.encode(paper).decode())
        main = _MAIN.format(layout=source, under=self._under, paper=drawn).encode()
        pdf = self._compiler.pdf(main, at, tagged=False)  # it is printed, never read on a screen
        if (pages := count_pages(pdf)) != len(paper.pages):
            raise PaperOverrun(pages=pages, planned=len(paper.pages))
        return pdf


def quoted(text: str) -> str:
    """``text`` as it stands inside a typst string. JSON holds no control character, so two characters are enough."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def count_pages(pdf: bytes) -> int:
    """From the page tree that typst writes in clear."""
    return max(int(count) for count in _COUNT.findall(pdf))
