"""Reports for people and programs: the usage of one spot, or of the whole box, over a day or a week."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate, pairwise

import msgspec

from captive_portal.stats.codes import ALL_SPOTS, PARTS
from captive_portal.stats.database import collected_days, first_collected_day
from device.store import Store


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One hour ("09") of a day or one day ("2026-11-23") of a week. visitors: distinct phones that began a session;
    in the total of several days, a phone counts once a day. minutes online; bytes; refused logins; peak: at once.
    disaster_phones: distinct in an hour and passing without a session, added up over hours. All figures are None where
    nothing was collected; that is not 0 (N16).
    """

    label: str
    visitors: int | None = None
    sessions: int | None = None
    minutes: int | None = None
    bytes_up: int | None = None
    bytes_down: int | None = None
    refused: int | None = None
    peak: int | None = None
    disaster_phones: int | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """spot: its name, or "*" for the box; first, last: days, both included; parts: part -> value -> count, by size.
    days_without_data: on which nothing was collected; the total is of the other days. never_collected: no day of the
    box has data.
    """

    spot: str
    first: date
    last: date
    rows: list[ReportRow]
    total: ReportRow
    parts: dict[str, dict[str, int]]
    days_without_data: list[date]
    never_collected: bool = False


_SPOTS = (  # from one spot to the next in the index: DISTINCT would read every hour of every year
    "WITH RECURSIVE step(spot) AS (SELECT min(spot) FROM hour_sum"
    " UNION ALL SELECT (SELECT min(spot) FROM hour_sum WHERE spot > step.spot) FROM step WHERE step.spot IS NOT NULL)"
    " SELECT spot FROM step WHERE spot IS NOT NULL"
)
_SUMS = (
    "SELECT substr(hour, ?, ?) AS label, sum(sessions) AS sessions, sum(seconds) AS seconds, sum(bytes_up) AS up,"
    " sum(bytes_down) AS down, sum(refused) AS refused, max(peak) AS peak,"
    " sum(disaster_phones) AS disaster_phones FROM hour_sum"
    " WHERE spot = ? AND hour >= ? AND hour < ? GROUP BY label ORDER BY label"
)
_VISITORS = (
    "SELECT day, value, visitors FROM day_count WHERE spot = ?1 AND day >= ?2 AND day <= ?3 AND part = ?4 UNION ALL"
    " SELECT day, value, count(*) FROM day_visitor WHERE spot = ?1 AND day >= ?2 AND day <= ?3 AND part = ?4"
    " GROUP BY day, value"
)
_PARTS = (
    "SELECT part, value, sum(count) AS count FROM hour_part WHERE spot = ? AND hour >= ? AND hour < ?"
    " GROUP BY part, value ORDER BY count DESC"
)


def day_report(store: Store, spot: str, day: date) -> Report:
    """Hour by hour; always 24 rows."""
    sums = _sums(store, spot, day, day, (12, 2))
    hourly = _visitors(store, spot, (day, day), "hour", lambda _, hour: hour)
    collected = collected_days(store, day, day)
    rows = [_row(f"{h:02}", sums, hourly, collected=day in collected) for h in range(24)]
    return _report(store, spot, [day], collected, rows)


def week_report(store: Store, spot: str, day: date) -> Report:
    """Day by day, the week from Monday to Sunday that ``day`` is in; always 7 rows."""
    first = day - timedelta(days=day.weekday())
    days = [first + timedelta(days=n) for n in range(7)]
    sums = _sums(store, spot, days[0], days[-1], (1, 10))
    daily = _visitors(store, spot, (days[0], days[-1]), "", lambda day, _: day)
    collected = collected_days(store, days[0], days[-1])
    rows = [_row(d.isoformat(), sums, daily, collected=d in collected) for d in days]
    return _report(store, spot, days, collected, rows)


def _report(store: Store, spot: str, days: Sequence[date], collected: frozenset[date], rows: list[ReportRow]) -> Report:
    first, last = days[0], days[-1]
    return Report(
        spot=spot,
        first=first,
        last=last,
        rows=rows,
        total=_total(store, spot, (first, last), rows) if collected else ReportRow(label=""),
        parts=_parts(store, spot, first, last),
        days_without_data=[day for day in days if day not in collected],
        never_collected=not collected and first_collected_day(store) is None,
    )


def _total(store: Store, spot: str, days: tuple[date, date], rows: Sequence[ReportRow]) -> ReportRow:
    """Of the rows with data; there is at least one."""
    visitors = sum(_visitors(store, spot, days, "", lambda day, _: day).values())
    peak = max(row.peak or 0 for row in rows)
    added = {name: sum(getattr(row, name) or 0 for row in rows) for name in _ADDED}
    return ReportRow(label="", visitors=visitors, peak=peak, **added)


_ADDED = ("sessions", "minutes", "bytes_up", "bytes_down", "refused", "disaster_phones")


def _sums(store: Store, spot: str, first: date, last: date, label: tuple[int, int]) -> dict[str, ReportRow]:
    found = store.rows(_SUMS, (*label, spot, *_hours(first, last)))
    minutes = [round(r["seconds"] / 60) for r in found] if first != last else _minutes([r["seconds"] for r in found])
    return {
        r["label"]: ReportRow(
            label=r["label"],
            sessions=r["sessions"],
            minutes=minutes[place],
            bytes_up=r["up"],
            bytes_down=r["down"],
            refused=r["refused"],
            peak=r["peak"],
            disaster_phones=r["disaster_phones"],
        )
        for place, r in enumerate(found)
    }


def _minutes(seconds: Sequence[int]) -> list[int]:
    """Whole minutes for the hours of a day, which add up to the day's: each begins where the one before was rounded."""
    ends = [round(end / 60) for end in accumulate(seconds, initial=0)]
    return [end - start for start, end in pairwise(ends)]


def _visitors(
    store: Store, spot: str, days: tuple[date, date], part: str, key: Callable[[str, str], str]
) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in store.rows(_VISITORS, (spot, days[0].isoformat(), days[1].isoformat(), part)):
        label = key(row["day"], row["value"])
        counts[label] = counts.get(label, 0) + row["visitors"]
    return counts


def _row(label: str, sums: Mapping[str, ReportRow], visitors: Mapping[str, int], *, collected: bool) -> ReportRow:
    if not collected:
        return ReportRow(label=label)
    return msgspec.structs.replace(sums.get(label, _zero(label)), visitors=visitors.get(label, 0))


def _zero(label: str) -> ReportRow:
    """Collected, and nothing was used."""
    return ReportRow(label=label, peak=0, **dict.fromkeys(_ADDED, 0))


def _parts(store: Store, spot: str, first: date, last: date) -> dict[str, dict[str, int]]:
    parts: dict[str, dict[str, int]] = {part: {} for part in PARTS}
    for row in store.rows(_PARTS, (spot, *_hours(first, last))):
        parts[row["part"]][row["value"]] = row["count"]
    return parts


def _hours(first: date, last: date) -> tuple[str, str]:
    """From the first hour on, and up to but without this one."""
    return first.isoformat(), (last + timedelta(days=1)).isoformat()


def known_spots(store: Store) -> list[str]:
    """Spots that have any sums, the whole box left out."""
    return [row["spot"] for row in store.rows(_SPOTS) if row["spot"] != ALL_SPOTS]
