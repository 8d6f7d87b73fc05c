"""The inventory sheet as a PDF: boxes, slips with enrolment codes, labels with QR codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from device.qr import modules
from device.typst_compiler import TypstCompiler
from provisioning.site.model import Site

FONTS = (Path("/usr/share/fonts/truetype/bizud-gothic"),)
STAFF_PORT = 8443
_WORDS = {
    "title": "端末の一覧 / Boxes",
    "slips_title": "登録コード / Enrolment codes",
    "slips_note": "一度だけ使えます。登録が済んだら細断してください。 / Good for one use. Shred after enrolment.",
    "labels_title": "ラベル / Labels",
    "labels_note": "切り取って端末の裏に貼ってください。 / Cut out and stick on the back of each box.",
}
_HEADINGS = ["端末 / box", "場所 / place", "備品番号 / asset", "役割 / parts", "アドレス / address"]


def sheet(
    boxes: Sequence[Site],
    parts: Mapping[str, str],
    codes: Mapping[str, str],
    at: datetime,
    staff_port: int = STAFF_PORT,
) -> bytes:
    """The PDF. parts: box -> what it does; codes: box -> its one-time code; at: when it was made; staff_port: of city
    hall's pages. The same in, the same out.
    """
    facts = {
        **_WORDS,
        "headings": _HEADINGS,
        "city": boxes[0].city.name_ja,
        "subtitle": f"{boxes[0].city.name_ja} {len(boxes)} 台 / boxes　{at:%Y-%m-%d %H:%M}",
        "boxes": [_row(site, parts.get(site.box.name, ""), codes.get(site.box.name, ""), staff_port) for site in boxes],
    }
    folder = Path(str(resources.files("provisioning.box").joinpath("seed")))
    inputs = {"sheet": msgspec.json.encode(facts).decode()}
    return TypstCompiler(folder, FONTS).pdf((folder / "labels.typ").read_bytes(), at, inputs)


def label_link(site: Site, staff_port: int = STAFF_PORT) -> str:
    """What a label's QR code leads to: the box's page at city hall, or its name where it has no city hall."""
    if site.cityhall_link is None:
        return f"hiroba:{site.box.name}"
    return f"https://{site.cityhall_link.host}:{staff_port}/boxes/{site.box.name}"


def _row(site: Site, parts: str, code: str, staff_port: int) -> dict[str, Any]:
    return {
        "name": site.box.name,
        "place_ja": site.box.place_ja,
        "place_en": site.box.place_en,
        "asset": site.box.asset,
        "parts": parts,
        "address": site.network.address or "DHCP",
        "code": code,
        "telephone": site.city.telephone,
        "qr": _svg(label_link(site, staff_port)),
    }


def _svg(text: str) -> str:
    rows = modules(text)
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, black in enumerate(row) if black)
    size = len(rows)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><path d="{path}"/></svg>'
