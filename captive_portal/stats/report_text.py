"""A report as text for people: the same cells for the page's tables and the command's. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from captive_portal.stats.catalogue import StatsCatalogue
from captive_portal.stats.codes import PARTS
from captive_portal.stats.report import Report, ReportRow

NO_FIGURE = "－"
"""In place of a figure of a time without data."""
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


def cells(row: ReportRow, names: Sequence[str] = COLUMNS) -> list[str]:
    """The figures of one row in the order of ``names``; NO_FIGURE where nothing was collected."""
    return [_cell(name, getattr(row, name)) for name in names]


def _cell(name: str, figure: int | None) -> str:
    if figure is None:
        return NO_FIGURE
    return megabytes(figure) if name.startswith("bytes") else f"{figure:,}"


def notes(report: Report, words: StatsCatalogue) -> list[str]:
    """What must be said about missing data or usage, so that missing data is not read as 0 (N16)."""
    if report.never_collected:
        return [words("never_collected")]
    if report.total.sessions is None:
        return [words("no_data_in_period")]
    unused = [] if has_usage(report.total) else [words("nothing")]
    return [*unused, words("no_data_note")] if report.days_without_data else unused


def has_usage(row: ReportRow) -> bool:
    """Whether the row has any usage."""
    return bool(row.sessions or row.minutes or row.refused or row.disaster_phones)


def label(row: ReportRow, words: StatsCatalogue) -> str:
    """The name of a row: "9時", or "11月23日（月）"."""
    if len(row.label) == 2:
        return words("hour_value", hour=int(row.label))
    return words.day(date.fromisoformat(row.label), year=False)


def period(report: Report, words: StatsCatalogue) -> str:
    """The days of a report."""
    return words.days(report.first, report.last)


def shares(counts: Mapping[str, int], part: str, words: StatsCatalogue) -> list[Share]:
    """The values of a part, largest first; "other" last."""
    whole = sum(counts.values()) or 1
    order = {value: place for place, value in enumerate(PARTS[part])}
    found = sorted(counts.items(), key=lambda item: (item[0] == "other", -item[1], order.get(item[0], 0)))
    return [Share(words.value(part, value), count, round(100 * count / whole)) for value, count in found if count]
