"""What a person or a program may ask of the statistics: one spot, or the whole box, over a day or a week."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate, pairwise

import msgspec

from captive_portal.stats.codes import BOX, PARTS
from device.store import Store


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One hour ("09") of a day or one day ("2026-11-23") of a week. visitors: distinct phones that began a session;
    in the total of several days, a phone counts once a day. minutes online; bytes; refused logins; peak: at once.
    disaster_phones: distinct in an hour and passing without a session, added up over hours.
    """

    label: str
    visitors: int = 0
    sessions: int = 0
    minutes: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    refused: int = 0
    peak: int = 0
    disaster_phones: int = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """spot: its name, or "*" for the box; first, last: days, both included; parts: part -> value -> count, by size."""

    spot: str
    first: date
    last: date
    rows: list[Row]
    total: Row
    parts: dict[str, dict[str, int]]


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
    rows = [_row(f"{h:02}", sums, hourly) for h in range(24)]
    return _report(store, spot, (day, day), rows)


def week_report(store: Store, spot: str, day: date) -> Report:
    """Day by day, the week from Monday to Sunday that ``day`` is in; always 7 rows."""
    first = day - timedelta(days=day.weekday())
    days = [first + timedelta(days=n) for n in range(7)]
    sums = _sums(store, spot, days[0], days[-1], (1, 10))
    daily = _visitors(store, spot, (days[0], days[-1]), "", lambda day, _: day)
    rows = [_row(d.isoformat(), sums, daily) for d in days]
    return _report(store, spot, (days[0], days[-1]), rows)


def _report(store: Store, spot: str, days: tuple[date, date], rows: list[Row]) -> Report:
    visitors = sum(_visitors(store, spot, days, "", lambda day, _: day).values())
    total = Row(
        label="",
        visitors=visitors,
        peak=max(row.peak for row in rows),
        **{name: sum(getattr(row, name) for row in rows) for name in _ADDED},
    )
    return Report(spot=spot, first=days[0], last=days[1], rows=rows, total=total, parts=_parts(store, spot, *days))


_ADDED = ("sessions", "minutes", "bytes_up", "bytes_down", "refused", "disaster_phones")


def _sums(store: Store, spot: str, first: date, last: date, label: tuple[int, int]) -> dict[str, Row]:
    found = store.rows(_SUMS, (*label, spot, *_hours(first, last)))
    minutes = [round(r["seconds"] / 60) for r in found] if first != last else _minutes([r["seconds"] for r in found])
    return {
        r["label"]: Row(
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


def _row(label: str, sums: Mapping[str, Row], visitors: Mapping[str, int]) -> Row:
    return msgspec.structs.replace(sums.get(label, Row(label=label)), visitors=visitors.get(label, 0))


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
    return [row["spot"] for row in store.rows(_SPOTS) if row["spot"] != BOX]
