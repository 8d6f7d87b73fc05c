"""Synthetic usage events for the tests of the statistics, and a naive recount to hold the sums against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from captive_portal.gate.protocol import UsageEvent
from device.clock import JST

START = datetime(2026, 11, 23, 9, 0, tzinfo=JST)


def event(number: int, kind: str, at: datetime = START, **facts: Any) -> UsageEvent:
    """One event of spot "hall" with plausible facts."""
    plain: dict[str, Any] = {
        "spot": "hall",
        "visitor": "v1",
        "session": "s1",
        "method": "one_tap",
        "language": "ja",
        "device": "apple",
    }
    return UsageEvent(number=number, kind=kind, at=at, **{**plain, **facts})  # type: ignore[arg-type]  # kind by name


@st.composite
def stories(draw: st.DrawFn) -> list[UsageEvent]:
    """What a gate could tell: sessions that open, grow and end, and refusals, in the order of time and number."""
    moments: list[tuple[int, dict[str, Any]]] = []
    for n in range(draw(st.integers(0, 6))):
        moments += draw(_session(n))
    moments += [
        (second, {"kind": "refused", "session": "", "visitor": "v9", "why": "devices"})
        for second in draw(st.lists(st.integers(0, 200_000), max_size=3))
    ]
    moments.sort(key=lambda moment: moment[0])
    return [
        event(number, facts.pop("kind"), START + timedelta(seconds=second), **facts)
        for number, (second, facts) in enumerate([(s, dict(f)) for s, f in moments], 1)
    ]


@st.composite
def _session(draw: st.DrawFn, n: int) -> list[tuple[int, dict[str, Any]]]:
    begin = draw(st.integers(0, 90_000))
    facts: dict[str, Any] = {
        "session": f"s{n}",
        "visitor": f"v{draw(st.integers(0, 3))}",
        "spot": draw(st.sampled_from(["hall", "park"])),
        "language": draw(st.sampled_from(["ja", "en", "xx"])),
    }
    told, second = [(begin, {**facts, "kind": "opened"})], begin
    size = st.integers(0, 10**9)
    for step in draw(st.lists(st.integers(1, 15_000), min_size=1, max_size=4)):
        second += step
        growth = {"kind": "used", "seconds": step, "bytes_up": draw(size), "bytes_down": draw(size)}
        told.append((second, {**facts, **growth}))
    told[-1][1].update(kind="ended", why="expired")
    return told


def recount(events: Sequence[UsageEvent], spot: str) -> Counter[str]:
    """The whole story's totals, counted the slow way."""
    mine = [e for e in events if spot in ("*", e.spot)]
    totals: Counter[str] = Counter()
    for e in mine:
        totals["sessions"] += e.kind == "opened"
        totals["refused"] += e.kind == "refused"
        totals["seconds"] += e.seconds
        totals["bytes_up"] += e.bytes_up
        totals["bytes_down"] += e.bytes_down
    return totals


def online_at(events: Sequence[UsageEvent], spot: str) -> dict[str, int]:
    """Hour -> most phones online at once, by asking at every event and at every full hour."""
    most: dict[str, int] = {}
    live: dict[str, str] = {}
    for place, e in enumerate(events):
        if e.kind == "ended":
            live.pop(e.session, None)
        elif e.kind != "refused":
            live[e.session] = e.spot
        count = sum(spot in ("*", where) for where in live.values())
        until = events[place + 1].at if place + 1 < len(events) else e.at
        moment = e.at
        while moment <= until:
            name = moment.strftime("%Y-%m-%dT%H")
            most[name] = max(most.get(name, 0), count)
            moment = (moment + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    return {hour: count for hour, count in most.items() if count}
