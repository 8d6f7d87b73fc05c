"""Open data as files: CSV (UTF-8 with a byte order mark, for spreadsheets) and JSON. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from captive_portal.stats.catalogue import LANGUAGES, StatsCatalogue, catalogue
from captive_portal.stats.codes import NO_DATA
from captive_portal.stats.open_data import MIN_VISITORS, PublishedRow

BOM = "\ufeff"
CSV_LANGUAGE = "ja"
_FIGURES = ("visitors", "sessions", "minutes", "bytes_up", "bytes_down", "refused", "peak")


def to_csv(rows: Iterable[PublishedRow], city: str, titles: Mapping[str, str]) -> str:
    """Japanese headings and values; bytes in MB (10^6). titles: spot -> title."""
    w = catalogue(CSV_LANGUAGE)
    out = io.StringIO()
    out.write(BOM)
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [w("city"), w("spot_id"), w("spot_name"), w("date"), w("part"), w("value")]
    writer.writerow([*heads, *(w(name) for name in _FIGURES)])
    for row in rows:
        part, value = _part_names(w, row)
        figures = [_figure(name, getattr(row, name)) for name in _FIGURES]
        named = [_escape_formula(city), row.spot, _escape_formula(titles.get(row.spot, row.spot))]
        writer.writerow([*named, row.day.isoformat(), part, value, *figures])
    return out.getvalue()


def to_json(
    rows: Iterable[PublishedRow], city: str, titles: Mapping[str, str], first_day_with_data: date | None = None
) -> str:
    """The same with English keys; bytes as bytes. null: not published; part "no_data": not collected on that day."""
    tree: dict[str, Any] = {
        "city": city,
        "suppressed_under": MIN_VISITORS,
        "first_day_with_data": first_day_with_data,
        **_rules(),
        "rows": [{**msgspec.to_builtins(row), "title": titles.get(row.spot, row.spot)} for row in rows],
    }
    return msgspec.json.format(msgspec.json.encode(tree), indent=1).decode() + "\n"


def _part_names(w: StatsCatalogue, row: PublishedRow) -> tuple[str, str]:
    if row.part in ("", NO_DATA):
        return w(row.part or "total"), ""
    return w.part(row.part), w.value(row.part, row.value)


def _rules() -> dict[str, str]:
    """How the rows were suppressed, in every language: "rule_ja", "rule_en"."""
    return {f"rule_{code}": catalogue(code)("open_data_rule", least=MIN_VISITORS) for code in LANGUAGES}


def _figure(name: str, value: int | None) -> str:
    if value is None:
        return ""
    return f"{value / 1_000_000:.1f}" if name.startswith("bytes") else str(value)


def _escape_formula(text: str) -> str:
    """A name that a spreadsheet would take for a formula gets a quote; some also read the full-width signs."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠") else text
