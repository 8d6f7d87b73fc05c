"""The harness: medians, turns, bars, and rows that could not be measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from device.errors import StoreError
from provisioning.bench.benches import collect
from provisioning.bench.figures import growth, in_turn, median
from provisioning.bench.machine import cpu_name, describe
from provisioning.bench.report import show, write_json
from provisioning.bench.rows import BARS, Measured, judge
from provisioning.bench.workload import Workload

KEYS = {"name", "value", "unit", "peer", "peer_value", "ratio", "bar", "holds", "note"}
ROWS = [name for rows in BARS.values() for name in rows]
finite = st.floats(min_value=0.001, max_value=1e6)


@given(st.lists(finite, min_size=1))
def test_as_many_values_lie_above_the_median_as_below(values: list[float]) -> None:
    middle = median(values)
    above, below = sum(v > middle for v in values), sum(v < middle for v in values)
    assert max(above, below) <= len(values) / 2


def test_nothing_has_no_median_and_no_growth() -> None:
    with pytest.raises(ValueError, match="no values"):
        median([])
    with pytest.raises(ValueError, match="compare"):
        growth(0, 1)


def test_two_sides_are_taken_in_turn() -> None:
    order: list[str] = []
    taken = in_turn([lambda: order.append("ours") or 1.0, lambda: order.append("peer") or 2.0], 3)  # type: ignore[func-returns-value]  # append says None
    assert order == ["ours", "peer"] * 3
    assert taken == [[1.0] * 3, [2.0] * 3]


@given(st.sampled_from(sorted(BARS["wifi"])), finite, finite)
def test_a_row_holds_exactly_when_its_value_keeps_the_bar(name: str, value: float, peer: float) -> None:
    row = next(r for r in judge("wifi", [Measured(name, value, peer)]) if r.name == name)
    bar = BARS["wifi"][name]
    assert row.holds == (value <= bar.limit if bar.sign == "<=" else value >= bar.limit)
    assert row.ratio == pytest.approx(value / peer, rel=0.01)


def test_a_row_without_a_value_says_why_and_holds_nothing() -> None:
    first, *others = judge("card", [Measured("card.apdus_short", None, note="no card")])
    assert (first.value, first.holds, first.ratio, first.note) == (None, None, None, "no card")
    assert {row.note for row in others} == {"not reported"}


def test_a_row_nobody_agreed_on_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"card\.colour"):
        judge("card", [Measured("card.colour", 1)])


def test_what_breaks_on_the_way_leaves_the_rows_found_before(tmp_path: Path) -> None:
    def measure(_effort: Workload) -> Iterator[Measured]:
        yield Measured("receipt.build_ms", 3.0, 30.0)
        raise StoreError(file="x.db", reason="full")

    rows = {row.name: row for row in collect("print", measure, Workload(tmp_path))}
    assert rows["receipt.build_ms"].holds is True
    assert rows["ipp.submit_ms"].value is None
    assert "full" in rows["ipp.submit_ms"].note


def test_the_json_has_the_agreed_shape(tmp_path: Path) -> None:
    rows = judge("print", [Measured("receipt.build_ms", 3.0, 30.0)])
    write_json(tmp_path / "b.json", describe(), rows)
    read = json.loads((tmp_path / "b.json").read_text())
    assert set(read) == {"machine", "rows"}
    assert {"cores", "cpu", "kernel", "python"} <= set(read["machine"])
    assert all(set(row) == KEYS for row in read["rows"])
    assert read["rows"][0] | {"note": ""} == {
        "name": "receipt.build_ms", "value": 3.0, "unit": "ms", "peer": "python-escpos .image()", "peer_value": 30.0,
        "ratio": 0.1, "bar": "<= 6", "holds": True, "note": "",
    }  # fmt: skip


def test_the_table_shows_every_row_and_every_note() -> None:
    console = Console(record=True, width=160)
    show(console, describe(), judge("wifi", [Measured("wifi.login_ms", 9.5, 610.0, note="no peer here")]))
    text = console.export_text()
    assert all(name in text for name in BARS["wifi"])
    assert "wifi.login_ms: no peer here" in text


def test_every_row_has_a_name_of_its_own() -> None:
    assert len(ROWS) == len(set(ROWS))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor\t: 0\nmodel name\t: One CPU\n", "One CPU"),
        ("Model\t\t: Raspberry Pi 5 Model B\n", "Raspberry Pi 5 Model B"),
        ("", "unknown"),
    ],
)
def test_the_processor_is_named_as_the_kernel_names_it(text: str, name: str) -> None:
    assert cpu_name(text) == name
