"""The chart of a report as SVG; the only importer of pygal.

pygal: pure Python, LGPL, released again and again since 2012. It is drawn server-side and served as an image of its own
address; what pygal adds for scripting (a script element, style attributes, tooltips) is taken out, so that the image
needs nothing but one style sheet, whose hash is in its Content-Security-Policy.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import NamedTuple
from xml.etree import ElementTree as ET

COLOURS = ("#0b4f9e", "#c2650c")
"""Bars: both 3:1 and more against white (WCAG 2.2 §1.4.11) and apart in lightness."""
_SVG = "{http://www.w3.org/2000/svg}"
_FONT = "'BIZ UDPGothic', 'Hiragino Sans', 'Noto Sans CJK JP', system-ui, sans-serif"


class Chart(NamedTuple):
    """svg: the file; style: the CSP source that allows its style sheet ("'sha256-…'")."""

    svg: bytes
    style: str


def draw(labels: Sequence[str], series: Mapping[str, Sequence[int | None]], *, no_data: str) -> Chart:
    """Grouped bars for each label, a colour for each series; no bar for None, ``no_data`` as text when all are None.
    1,000 × 360 units, scaled by the page.
    """
    chart = _pygal().Bar(**_options(labels, no_data))
    chart.uuid = "usage"
    chart.x_labels = list(labels)
    chart.y_labels = ticks(max((value or 0 for values in series.values() for value in values), default=0))
    for name, values in series.items():
        chart.add(name, list(values) if any(value is not None for value in values) else [])
    root = chart.render_tree()
    _strip(root)
    text = next((e.text or "" for e in root.iter() if str(e.tag).removeprefix(_SVG) == "style"), "")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Chart(ET.tostring(root, encoding="utf-8", xml_declaration=True), f"'sha256-{digest}'")


def _pygal() -> ModuleType:
    """pygal, without the import hook it leaves behind for its map plug-ins: it has the old form that Python 3.11 warns
    about at every later import of anything missing.
    """
    import pygal

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]
    return pygal  # type: ignore[no-any-return]  # pygal ships no types


def ticks(highest: int) -> list[int]:
    """Whole numbers for the axis from 0 to ``highest`` or just above, by 1, 2 or 5 times a power of ten."""
    step = 1
    while highest > 5 * step:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return list(range(0, (max(highest, 1) + step - 1) // step * step + 1, step))


def _options(labels: Sequence[str], no_data: str) -> dict[str, object]:
    from pygal.style import Style

    style = Style(
        background="#ffffff",
        plot_background="#ffffff",
        foreground="#1b2430",
        foreground_strong="#1b2430",
        foreground_subtle="#7d8998",
        opacity="1",
        opacity_hover="1",
        colors=COLOURS,
        font_family=_FONT,
        label_font_size=14,
        major_label_font_size=14,
        legend_font_size=15,
        no_data_font_size=20,
        guide_stroke_color="#d5dbe3",
        major_guide_stroke_color="#b6bfca",
        guide_stroke_dasharray="1,0",
        major_guide_stroke_dasharray="1,0",
    )
    return {
        "style": style,
        "width": 1000,
        "height": 360,
        "js": [],
        "margin": 12,
        "spacing": 14,
        "legend_at_bottom": True,
        "legend_at_bottom_columns": 2,
        "legend_box_size": 14,
        "print_values": False,
        "no_data_text": no_data,
        "show_y_guides": True,
        "x_label_rotation": 0,
        "truncate_label": -1,
        "truncate_legend": -1,
        "value_formatter": lambda value: f"{value:,.0f}",
        "rounded_bars": 3 if len(labels) < 10 else 2,
        "include_x_axis": True,
        "show_x_guides": False,
    }


def _strip(root: ET.Element) -> None:
    """Take out scripts, tooltips, comments and style attributes; give the drawing a fixed id."""
    for parent in list(root.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or _surplus(child):
                parent.remove(child)
    for element in root.iter():
        element.attrib.pop("style", None)


def _surplus(element: ET.Element) -> bool:
    name = str(element.tag).removeprefix(_SVG)
    classes = element.get("class", "").split()
    overlay = "text-overlay" in classes and not any(text.get("class") == "no_data" for text in element)
    return name in ("script", "title", "desc") or "tooltip" in classes or overlay
