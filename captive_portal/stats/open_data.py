"""Open data: what may be published of closed days. No number in it tells of fewer than five visitors, nor can one be
worked out from several. Pure but for ``read_days``.

How:
1. A spot's day with fewer than UNDER visitors is left out whole, and no sum over spots or days is given from which it
   could be subtracted.
2. Within a part (hour, method, language, device) every value with fewer than UNDER visitors is put together with the
   smallest value that has enough, as MERGED. The values of each part still add up to the day's total, so the difference
   of any published numbers is again a group of at least UNDER visitors. A value without sessions is not listed, so that
   "none" and "few" look the same.
3. Refusals and peaks under UNDER are blank; nothing else adds up to them.
4. Only closed days are given: a day has the same numbers in every export, and two exports cannot be subtracted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import msgspec

from captive_portal.stats.codes import BOX, MERGED, UNKNOWN_SPOT
from device.store import Store

UNDER = 5
"""Fewer visitors than this are not told (docs/sources.md#small-counts)."""


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """One line. part "": the whole day; else hour, method, language or device, and only ``sessions`` is given.
    None: not published, or not counted for this kind of line.
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
class DayFacts:
    """All that is known of one spot's day; parts: part -> value -> cell."""

    spot: str
    day: date
    whole: Cell
    minutes: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    refused: int = 0
    peak: int = 0
    parts: Mapping[str, Mapping[str, Cell]] = field(default_factory=dict)


def publish(facts: DayFacts) -> list[Published]:
    """The lines that may be told of one day; none when there were too few visitors."""
    if facts.whole.visitors < UNDER:
        return []
    whole = Published(
        spot=facts.spot,
        day=facts.day,
        visitors=facts.whole.visitors,
        sessions=facts.whole.sessions,
        minutes=facts.minutes,
        bytes_up=facts.bytes_up,
        bytes_down=facts.bytes_down,
        refused=facts.refused if facts.refused >= UNDER else None,
        peak=facts.peak if facts.peak >= UNDER else None,
    )
    lines = [whole]
    for part, cells in facts.parts.items():
        merged = merge_small(cells)
        lines += [
            Published(spot=facts.spot, day=facts.day, part=part, value=value, sessions=sessions)
            for value, sessions in merged.items()
        ]
    return lines


def merge_small(cells: Mapping[str, Cell]) -> dict[str, int]:
    """value -> sessions, small values put together with the smallest large one. One group left alone, or no large value
    at all, would only repeat the day's total: then nothing.
    """
    told = {value: cell for value, cell in cells.items() if cell.sessions}
    large = {value: cell.sessions for value, cell in told.items() if cell.visitors >= UNDER}
    small = [cell.sessions for value, cell in told.items() if value not in large]
    if not large or len(told) < 2:
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


def read_days(store: Store, first: date, last: date, spot: str = "") -> Iterable[DayFacts]:
    """Closed days from ``first`` to ``last``, by day and spot; one spot when named."""
    for row in store.rows(_DAYS, (BOX, UNKNOWN_SPOT, first.isoformat(), last.isoformat())):
        if not spot or row["spot"] == spot:
            yield _facts(store, row["spot"], row["day"], row["visitors"])


def _facts(store: Store, spot: str, day: str, visitors: int) -> DayFacts:
    (sums,) = store.rows(_SUMS, (spot, f"{day}T", f"{day}U"))
    parts: dict[str, dict[str, Cell]] = {}
    for row in store.rows(_CELLS, (spot, day)):
        parts.setdefault(row["part"], {})[row["value"]] = Cell(row["sessions"] or 0, row["visitors"])
    return DayFacts(
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
