"""Documents set with typst, as PDF; the only importer of typst."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path


class TypstCompiler:
    """A typst compiler, made once and kept, with the fonts below ``fonts`` and no others, so that no font is
    substituted. root: a document reads no file outside it. One compilation at a time.
    """

    def __init__(self, root: Path, fonts: Sequence[Path]) -> None:
        import typst

        found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=list(fonts))
        self._compiler = typst.Compiler(b"", root=root, font_paths=found)
        self._lock = threading.Lock()  # the compiler keeps its input between calls

    def pdf(
        self, source: bytes, at: datetime, inputs: Mapping[str, str] | None = None, *, tagged: bool = True
    ) -> bytes:
        """The PDF of a typst text, dated ``at``; the same in, the same bytes out. inputs: its ``sys.inputs``; tagged:
        with structure for reading on a screen.
        """
        moment = at.replace(microsecond=0)
        with self._lock:
            pdf = self._compiler.compile(
                source, format="pdf", sys_inputs=dict(inputs or {}), timestamp=moment, pdf_tags=tagged
            )
        if not isinstance(pdf, bytes):
            raise TypeError("typst gave no PDF")
        return pdf
