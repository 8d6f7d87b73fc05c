"""The peer of a page: WeasyPrint, where somebody has installed it; it is no part of Hiroba's environment.

The only file that imports weasyprint.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable

_PAGE = """<html lang="ja"><style>@page {{ size: A4; margin: 20mm }} body {{ font-family: IPAmjMincho }}
table {{ width: 100%; border-collapse: collapse }} td {{ border: 1px solid; padding: 2mm }}</style>
<h1>住民票の写し</h1><table>{rows}</table>"""
_ROW = "<tr><td>氏名</td><td>{name}</td></tr><tr><td>住所</td><td>大阪府摂津市三島一丁目１番１号</td></tr>"


def page_job(names: Iterable[str]) -> tuple[Callable[[], object] | None, str]:
    """For a household of these names: what is to be timed, and a note; None when it is not installed."""
    if importlib.util.find_spec("weasyprint") is None:
        return None, "WeasyPrint is not installed here"
    weasyprint = importlib.import_module("weasyprint")
    page = _PAGE.format(rows="".join(_ROW.format(name=name) for name in names))
    return lambda: weasyprint.HTML(string=page).write_pdf(), "theirs: the words of a household drawn, nothing checked"
