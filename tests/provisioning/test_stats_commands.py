"""hiroba stats on a box whose gate told some usage."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from captive_portal.stats.collector import StatsCollector
from captive_portal.stats.database import close_days, open_stats_database
from captive_portal.stats.export import BOM
from device.clock import SystemClock
from device.logs import open_log
from tests.provisioning.wifi_box import WifiBox, make_box


@pytest.fixture
def box(tmp_path: Path) -> WifiBox:
    """Six phones online since today, already counted."""
    made = make_box(tmp_path)
    for number in range(1, 7):
        made.log_in(number)
    made.gate.traffic("10.90.0.11", 2_000_000, 30_000_000)
    store = open_stats_database(made.state / "stats" / "stats.db")
    StatsCollector(made.gate, store, SystemClock(), open_log("stats", io.StringIO())).collect()
    store.close()
    return made


def _close_today(box: WifiBox) -> None:
    store = open_stats_database(box.state / "stats" / "stats.db")
    close_days(store, SystemClock().now().date() + timedelta(days=1), 1000)
    store.close()


def test_show_is_a_table_in_japanese(box: WifiBox) -> None:
    output = box.run("stats", "show").output
    for word in ("すべてのスポット", "利用者数", "最大同時接続", "合計", "ログイン方法", "ワンタップ"):
        assert word in output


def test_show_speaks_english_when_asked(box: WifiBox) -> None:
    assert "Peak at once" in box.run("stats", "show", "--lang", "en", "--spot", "hall").output


def test_show_as_json_gives_every_figure(box: WifiBox) -> None:
    report = json.loads(box.run("stats", "show", "--day", "--json").output)
    assert (report["spot"], len(report["rows"])) == ("*", 24)
    assert (report["total"]["visitors"], report["total"]["sessions"], report["total"]["peak"]) == (6, 6, 6)
    assert report["parts"]["language"] == {"ja": 6}


def test_a_week_has_seven_days(box: WifiBox) -> None:
    report = json.loads(box.run("stats", "show", "--week", "2020-01-01", "--spot", "hall", "--json").output)
    assert (report["first"], report["last"]) == ("2019-12-30", "2020-01-05")
    assert [row["sessions"] for row in report["rows"]] == [None] * 7
    assert report["days_without_data"][0] == "2019-12-30"
    assert not report["never_collected"]


@pytest.mark.parametrize("wrong", [["--day", "yesterday"], ["--day", "--week"]])
def test_a_day_that_is_none_is_wrong_use(box: WifiBox, wrong: list[str]) -> None:
    assert box.run("stats", "show", *wrong, ok=False).exit_code == 2


def test_an_unknown_spot_is_one_clear_error(box: WifiBox) -> None:
    assert box.fails("stats", "show", "--spot", "moon").code == "not_found"
    assert box.fails("stats", "export", "--spot", "moon").code == "not_found"


def test_a_box_that_never_collected_says_so_shows_no_zeros_and_makes_no_file(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    report = json.loads(box.run("stats", "show", "--json").output)
    assert (report["total"]["sessions"], report["never_collected"]) == (None, True)
    output = box.run("stats", "show", "--week").output
    assert "一度も集計が行われていません" in output
    assert " 0 " not in output
    exported = json.loads(box.run("stats", "export", "--format", "json").stdout)
    assert (exported["rows"], exported["first_day_with_data"]) == ([], None)
    assert not (box.state / "stats").exists()


def test_a_day_that_is_not_over_is_not_exported(box: WifiBox) -> None:
    assert json.loads(box.run("stats", "export", "--format", "json").output)["rows"] == []


def test_a_closed_day_is_exported_as_csv(box: WifiBox, tmp_path: Path) -> None:
    _close_today(box)
    out = tmp_path / "wifi.csv"
    box.run("stats", "export", "--format", "csv", "--out", str(out))
    text = out.read_bytes().decode("utf-8")
    assert text.startswith(BOM)
    (row,) = csv.DictReader(io.StringIO(text.removeprefix(BOM)))
    assert (row["スポットID"], row["利用者数"], row["利用回数"]) == ("hall", "6", "6")


def test_an_export_can_be_cut_to_days(box: WifiBox) -> None:
    _close_today(box)
    told = box.run("stats", "export", "--format", "json", "--to", "2020-01-01").output
    assert json.loads(told)["rows"] == []
