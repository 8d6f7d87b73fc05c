"""Open data as files: CSV (UTF-8 with a byte order mark, for spreadsheets) and JSON. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from captive_portal.stats.open_data import UNDER, Published
from captive_portal.stats.words import words

BOM = "\ufeff"
_FIGURES = ("visitors", "sessions", "minutes", "bytes_up", "bytes_down", "refused", "peak")
RULE_JA = (
    f"利用者が{UNDER}人未満の日は掲載しません。利用者が{UNDER}人未満の値は、他の値と合わせて「まとめて表示」としています。"
    f"{UNDER}未満の拒否回数と最大同時接続は空欄です。スポットや日をまたぐ合計は掲載しません。"
)
RULE_EN = (
    f"Days with fewer than {UNDER} visitors are left out; values of fewer than {UNDER} are combined;"
    f" refusals and peaks under {UNDER} are blank; no totals over spots or days are given."
)


def to_csv(lines: Iterable[Published], city: str, titles: Mapping[str, str]) -> str:
    """Japanese headings, one row a line; bytes in MB (10^6). titles: spot -> name."""
    w = words("ja")
    out = io.StringIO()
    out.write(BOM)
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [w("city"), w("spot_id"), w("spot_name"), w("date"), w("part"), w("value")]
    writer.writerow([*heads, *(w(name) for name in _FIGURES)])
    for line in lines:
        part, value = (w.part(line.part), w.value(line.part, line.value)) if line.part else (w("total"), "")
        figures = [_figure(name, getattr(line, name)) for name in _FIGURES]
        named = [_plain(city), line.spot, _plain(titles.get(line.spot, line.spot))]
        writer.writerow([*named, line.day.isoformat(), part, value, *figures])
    return out.getvalue()


def to_json(lines: Iterable[Published], city: str, titles: Mapping[str, str]) -> str:
    """The same with English keys and bytes as bytes; null: not published."""
    rows: list[dict[str, Any]] = [
        {**msgspec.to_builtins(line), "title": titles.get(line.spot, line.spot)} for line in lines
    ]
    tree = {"city": city, "suppressed_under": UNDER, "rule_ja": RULE_JA, "rule_en": RULE_EN, "rows": rows}
    return msgspec.json.format(msgspec.json.encode(tree), indent=1).decode() + "\n"


def _figure(name: str, value: int | None) -> str:
    if value is None:
        return ""
    return f"{value / 1_000_000:.1f}" if name.startswith("bytes") else str(value)


def _plain(text: str) -> str:
    """A spreadsheet must not take a name for a formula; some take the full-width signs as well."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠") else text
