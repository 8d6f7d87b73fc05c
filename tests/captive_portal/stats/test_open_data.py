"""Open data tells of no fewer than five visitors, alone or by subtraction."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.stats.codes import MERGED, NO_DATA
from captive_portal.stats.database import close_days, mark_collected, open_stats_database, write
from captive_portal.stats.event_state import EventState, add_events
from captive_portal.stats.export import BOM, to_csv, to_json
from captive_portal.stats.open_data import (
    MIN_VISITORS,
    Cell,
    DayUsage,
    merge_small,
    publish,
    read_days,
    rows_without_data,
)
from tests.captive_portal.stats.events import event

DAY = date(2026, 11, 23)
cells = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.integers(0, 30).flatmap(lambda v: st.integers(v, v * 3).map(lambda s: Cell(s, v))),
    max_size=8,
)


@given(cells)
def test_a_published_value_holds_five_visitors(given_cells: dict[str, Cell]) -> None:
    for value, sessions in merge_small(given_cells).items():
        assert sessions >= MIN_VISITORS
        assert value == MERGED or given_cells[value].visitors >= MIN_VISITORS


@given(cells)
def test_the_values_of_a_part_add_up_to_its_whole(given_cells: dict[str, Cell]) -> None:
    merged = merge_small(given_cells)
    if merged:
        assert sum(merged.values()) == sum(cell.sessions for cell in given_cells.values())


@given(cells)
def test_what_is_missing_from_the_whole_is_never_a_few(given_cells: dict[str, Cell]) -> None:
    """Whatever one subtracts from the total, a group of five visitors and more is left, or nothing."""
    merged, whole = merge_small(given_cells), sum(cell.sessions for cell in given_cells.values())
    named = [value for value in merged if value != MERGED]
    hidden = {value: cell for value, cell in given_cells.items() if value not in named and cell.sessions}
    rest = whole - sum(merged[value] for value in named)
    assert rest == sum(cell.sessions for cell in hidden.values())
    assert not hidden or not merged or max(cell.visitors for cell in hidden.values()) >= MIN_VISITORS


def test_a_small_value_is_put_together_with_the_smallest_large_one() -> None:
    parts = {"ja": Cell(40, 30), "en": Cell(9, 8), "ko": Cell(2, 1), "vi": Cell(3, 3)}
    assert merge_small(parts) == {"ja": 40, MERGED: 14}


def test_a_part_that_would_only_repeat_the_day_is_left_out() -> None:
    assert merge_small({"ja": Cell(40, 30), "en": Cell(2, 1)}) == {}
    assert merge_small({"ja": Cell(40, 30)}) == {}


def test_a_day_with_four_visitors_is_left_out_whole() -> None:
    assert publish(DayUsage("hall", DAY, Cell(90, 4), minutes=900, refused=50)) == []


def test_small_refusals_and_peaks_are_blank() -> None:
    (line,) = publish(DayUsage("hall", DAY, Cell(9, 5), refused=4, peak=2))
    assert (line.visitors, line.refused, line.peak) == (5, None, None)


def _filled(folder: Path) -> list[DayUsage]:
    """Six visitors at the hall, two at the park, one day before today."""
    store = open_stats_database(folder / "stats.db")
    events = [event(n, "opened", visitor=f"v{n}", session=f"s{n}", language="ja") for n in range(1, 7)]
    events += [event(n, "opened", visitor=f"v{n}", session=f"s{n}", spot="park") for n in (7, 8)]
    events.append(event(9, "refused", spot="", session=""))
    write(store, EventState(), *add_events(EventState(), events))
    assert list(read_days(store, DAY, DAY)) == []  # an open day is not told
    close_days(store, date(2026, 11, 24), 1000)
    return list(read_days(store, date(2026, 1, 1), date(2026, 12, 31)))


def test_only_closed_days_of_real_spots_are_told(tmp_path: Path) -> None:
    facts = _filled(tmp_path)
    assert [(f.spot, f.whole) for f in facts] == [("hall", Cell(6, 6)), ("park", Cell(2, 2))]
    assert facts[0].parts["language"] == {"ja": Cell(6, 6)}
    assert facts[0].parts["hour"] == {"09": Cell(6, 6)}


def test_a_past_day_without_data_is_marked_and_a_day_of_few_visitors_is_not(tmp_path: Path) -> None:
    store = open_stats_database(tmp_path / "stats.db")
    mark_collected(store, DAY)  # collected, and nobody came
    mark_collected(store, DAY + timedelta(days=2))
    today = DAY + timedelta(days=3)
    rows = rows_without_data(store, ["park", "hall"], None, date.max, today)
    assert [(row.spot, row.day, row.part) for row in rows] == [
        (spot, DAY + timedelta(days=1), NO_DATA) for spot in ("hall", "park")
    ]
    assert all(row.sessions is None for row in rows)
    asked_from = rows_without_data(store, ["hall"], DAY - timedelta(days=2), DAY, today)
    assert [row.day.day for row in asked_from] == [21, 22]
    (_, line, _) = to_csv(rows[:1], "試験市", {}).removeprefix(BOM).split("\r\n")
    assert line == "試験市,hall,hall,2026-11-24,データなし,,,,,,,,"


def test_a_box_that_never_collected_publishes_nothing(tmp_path: Path) -> None:
    store = open_stats_database(tmp_path / "stats.db")
    assert rows_without_data(store, ["hall"], None, date.max, DAY) == []


def test_the_csv_is_what_a_spreadsheet_expects(tmp_path: Path) -> None:
    lines = [line for facts in _filled(tmp_path) for line in publish(facts)]
    text = to_csv(lines, "試験市", {"hall": "＝市民ホール"})
    assert text.startswith(BOM)
    (row,) = csv.DictReader(io.StringIO(text.removeprefix(BOM)))
    assert (row["地方公共団体名"], row["スポット名"], row["利用者数"]) == ("試験市", "'＝市民ホール", "6")
    assert (row["区分"], row["日付"], row["拒否回数"]) == ("合計", "2026-11-23", "")


def test_the_json_says_by_which_rule_it_is_made(tmp_path: Path) -> None:
    lines = [line for facts in _filled(tmp_path) for line in publish(facts)]
    tree = msgspec.json.decode(to_json(lines, "試験市", {}))
    assert tree["suppressed_under"] == 5
    assert [row["spot"] for row in tree["rows"]] == ["hall"]
