"""Open data: what may be published of closed days. No number in it describes fewer than five visitors, and none can be
computed from several. Pure but for ``read_days`` and ``rows_without_data``.

Rules:
1. A spot's day with fewer than MIN_VISITORS visitors is left out, and no sum over spots or days is given from which it
   could be subtracted.
2. Within a part (hour, method, language, device) every value with fewer than MIN_VISITORS visitors is combined with the
   smallest value that has enough, as MERGED. The values of each part still add up to the day's total, so the difference
   of any published numbers is again a group of at least MIN_VISITORS visitors. A value without sessions is not listed,
   so that "none" and "few" look the same.
3. Refusals and peaks under MIN_VISITORS are blank; nothing else adds up to them.
4. Only closed days are given: a day has the same numbers in every export, and two exports cannot be subtracted.
5. A past day on which nothing was collected has a row of the part NO_DATA, so that it is not read as 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec

from captive_portal.stats.codes import ALL_SPOTS, MERGED, NO_DATA, UNKNOWN_SPOT
from captive_portal.stats.database import collected_days, first_collected_day
from device.store import Store

MIN_VISITORS = 5
"""Numbers of fewer visitors than this are not published (docs/sources.md#small-counts)."""


class PublishedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row. part "": the whole day; NO_DATA: nothing was collected; else hour, method, language or device, and only
    ``sessions`` is given. None: not published, or not counted for this kind of row.
    """

    spot: str
    day: date
    part: str = ""
    value: str = ""
    visitors: int | None = None
    sessions: int | None = None
    minutes: int | None = None
    bytes_up: int | None = None
    bytes_down: int | None = None
    refused: int | None = None
    peak: int | None = None


@dataclass(frozen=True)
class Cell:
    """One value of one part: sessions begun, and the distinct visitors who began them."""

    sessions: int
    visitors: int


@dataclass(frozen=True)
class DayUsage:
    """The usage of one spot on one day; parts: part -> value -> cell."""

    spot: str
    day: date
    whole: Cell
    minutes: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    refused: int = 0
    peak: int = 0
    parts: Mapping[str, Mapping[str, Cell]] = field(default_factory=dict)


def publish(facts: DayUsage) -> list[PublishedRow]:
    """The rows that may be published of one day; none with fewer than MIN_VISITORS visitors."""
    if facts.whole.visitors < MIN_VISITORS:
        return []
    whole = PublishedRow(
        spot=facts.spot,
        day=facts.day,
        visitors=facts.whole.visitors,
        sessions=facts.whole.sessions,
        minutes=facts.minutes,
        bytes_up=facts.bytes_up,
        bytes_down=facts.bytes_down,
        refused=facts.refused if facts.refused >= MIN_VISITORS else None,
        peak=facts.peak if facts.peak >= MIN_VISITORS else None,
    )
    rows = [whole]
    for part, cells in facts.parts.items():
        merged = merge_small(cells)
        rows += [
            PublishedRow(spot=facts.spot, day=facts.day, part=part, value=value, sessions=sessions)
            for value, sessions in merged.items()
        ]
    return rows


def merge_small(cells: Mapping[str, Cell]) -> dict[str, int]:
    """value -> sessions, with small values combined with the smallest large one. Empty without a large value, or when
    only one group is left, which would repeat the day's total.
    """
    used = {value: cell for value, cell in cells.items() if cell.sessions}
    large = {value: cell.sessions for value, cell in used.items() if cell.visitors >= MIN_VISITORS}
    small = [cell.sessions for value, cell in used.items() if value not in large]
    if not large or len(used) < 2:
        return {}
    if small:
        smallest = min(large, key=lambda value: (large[value], value))
        large[MERGED] = large.pop(smallest) + sum(small)
    return large if len(large) > 1 else {}


_DAYS = (
    "SELECT spot, day, visitors FROM day_count WHERE part = '' AND spot NOT IN (?, ?) AND day >= ? AND day <= ?"
    " AND day NOT IN (SELECT day FROM day_visitor) ORDER BY day, spot"
)
_SUMS = (
    "SELECT sum(sessions) AS sessions, sum(seconds) AS seconds, sum(bytes_up) AS bytes_up,"
    " sum(bytes_down) AS bytes_down, sum(refused) AS refused, max(peak) AS peak"
    " FROM hour_sum WHERE spot = ? AND hour >= ? AND hour < ?"
)
_CELLS = (
    "SELECT c.part, c.value, c.visitors, CASE c.part"
    " WHEN 'hour' THEN (SELECT sum(sessions) FROM hour_sum WHERE spot = c.spot AND hour = c.day || 'T' || c.value)"
    " ELSE (SELECT sum(count) FROM hour_part p WHERE p.spot = c.spot"
    " AND p.hour >= c.day || 'T' AND p.hour < c.day || 'U' AND p.part = c.part AND p.value = c.value) END AS sessions"
    " FROM day_count c WHERE c.spot = ? AND c.day = ? AND c.part != '' ORDER BY c.part, c.value"
)


def read_days(store: Store, first: date, last: date, spot: str = "") -> Iterable[DayUsage]:
    """Closed days from ``first`` to ``last``, by day and spot; one spot when named."""
    for row in store.rows(_DAYS, (ALL_SPOTS, UNKNOWN_SPOT, first.isoformat(), last.isoformat())):
        if not spot or row["spot"] == spot:
            yield _facts(store, row["spot"], row["day"], row["visitors"])


def rows_without_data(
    store: Store, spots: Iterable[str], first: date | None, last: date, today: date
) -> list[PublishedRow]:
    """A NO_DATA row for each spot and past day without data, by day and spot. first None: from the first day with data,
    and no rows when there is none.
    """
    begin = first or first_collected_day(store)
    end = min(last, today - timedelta(days=1))
    if begin is None or begin > end:
        return []
    collected = collected_days(store, begin, end)
    days = (begin + timedelta(days=n) for n in range((end - begin).days + 1))
    return [PublishedRow(spot=s, day=d, part=NO_DATA) for d in days if d not in collected for s in sorted(spots)]


def _facts(store: Store, spot: str, day: str, visitors: int) -> DayUsage:
    (sums,) = store.rows(_SUMS, (spot, f"{day}T", f"{day}U"))
    parts: dict[str, dict[str, Cell]] = {}
    for row in store.rows(_CELLS, (spot, day)):
        parts.setdefault(row["part"], {})[row["value"]] = Cell(row["sessions"] or 0, row["visitors"])
    return DayUsage(
        spot=spot,
        day=date.fromisoformat(day),
        whole=Cell(sums["sessions"] or 0, visitors),
        minutes=round((sums["seconds"] or 0) / 60),
        bytes_up=sums["bytes_up"] or 0,
        bytes_down=sums["bytes_down"] or 0,
        refused=sums["refused"] or 0,
        peak=sums["peak"] or 0,
        parts=parts,
    )
