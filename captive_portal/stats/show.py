"""A report as lines of text for a person: the same cells for the page's tables and the command's. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from captive_portal.stats.codes import PARTS
from captive_portal.stats.report import Report, Row
from captive_portal.stats.words import Words

COLUMNS = ("visitors", "sessions", "minutes", "bytes_up", "bytes_down", "refused", "peak")


class Share(NamedTuple):
    """One value of a part: its name, its number and its share of the part in percent."""

    name: str
    number: int
    percent: int


def megabytes(count: int) -> str:
    """Bytes as MB (10^6) with one decimal; whole from 100 MB on."""
    value = count / 1_000_000
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def columns(report: Report) -> tuple[str, ...]:
    """COLUMNS, and the phones of a disaster when there were any."""
    return (*COLUMNS, "disaster_phones") if report.total.disaster_phones else COLUMNS


def cells(row: Row, names: Sequence[str] = COLUMNS) -> list[str]:
    """The figures of one row in the order of ``names``."""
    return [megabytes(getattr(row, name)) if name.startswith("bytes") else f"{getattr(row, name):,}" for name in names]


def label(row: Row, words: Words) -> str:
    """The name of a row: "9時", or "11月23日（月）"."""
    if len(row.label) == 2:
        return words("hour_value", hour=int(row.label))
    return show_day(date.fromisoformat(row.label), words, year=False)


def show_day(day: date, words: Words, *, year: bool = True) -> str:
    """A day as people write it."""
    if words.language == "ja":
        weekday = words("weekdays")[day.weekday()]
        return (f"{day.year}年" if year else "") + f"{day.month}月{day.day}日（{weekday}）"
    return day.strftime("%a %d %b %Y" if year else "%a %d %b")


def show_period(report: Report, words: Words) -> str:
    """The days of a report."""
    if report.first == report.last:
        return show_day(report.first, words)
    between = "～" if words.language == "ja" else " – "
    return show_day(report.first, words) + between + show_day(report.last, words)


def shares(counts: Mapping[str, int], part: str, words: Words) -> list[Share]:
    """The values of a part, largest first; "other" last."""
    whole = sum(counts.values()) or 1
    order = {value: place for place, value in enumerate(PARTS[part])}
    found = sorted(counts.items(), key=lambda item: (item[0] == "other", -item[1], order.get(item[0], 0)))
    return [Share(words.value(part, value), count, round(100 * count / whole)) for value, count in found if count]
