"""The staff page: figures, languages, a strict policy, and nothing that a stranger could make it do."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import re
import tomllib
from datetime import datetime
from importlib import resources
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from captive_portal.settings import WifiSettings
from captive_portal.stats.catalogue import LANGUAGES, catalogue
from captive_portal.stats.chart import COLOURS, draw, ticks
from captive_portal.stats.codes import PARTS
from captive_portal.stats.database import open_stats_database, write
from captive_portal.stats.event_state import EventState, add_events
from captive_portal.stats.page import create_stats_app
from captive_portal.stats.report_text import megabytes
from device.clock import JST, HeldClock
from device.logs import open_log
from tests.captive_portal.gate.sites import a_spot
from tests.captive_portal.stats.events import event

EVENING = HeldClock(datetime(2026, 11, 23, 18, tzinfo=JST))


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    store = open_stats_database(tmp_path / "stats.db")
    events = [
        event(n, "opened", visitor=f"v{n % 3}", session=f"s{n}", device="android" if n % 2 else "apple")
        for n in range(1, 8)
    ]
    write(store, EventState(), *add_events(EventState(), events))
    wifi = WifiSettings(spots=[a_spot(title_ja="市民<ホール>", title_en="Civic Hall"), a_spot(name="park")])
    return create_stats_app(
        wifi, store, HeldClock(datetime(2026, 11, 23, 18, tzinfo=JST)), open_log("stats")
    ).test_client()


def _text(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_today_is_shown_in_japanese(client: FlaskClient) -> None:
    page = _text(client, "/")
    assert '<html lang="ja">' in page
    assert "2026年11月23日（月）" in page
    assert re.search(r"<dt>利用者数</dt><dd>3</dd>", page)
    assert re.search(r"<dt>利用回数</dt><dd>7</dd>", page)


def test_the_same_in_english(client: FlaskClient) -> None:
    page = _text(client, "/?lang=en&spot=hall&period=week")
    assert '<html lang="en">' in page
    assert "Mon 23 Nov 2026 – Sun 29 Nov 2026" in page
    assert "Civic Hall" in page
    assert "Android, ChromeOS" in page


def test_a_spot_shows_its_own_figures_only(client: FlaskClient) -> None:
    assert "この期間の利用はありません。" in _text(client, "/?spot=park")
    assert "市民&lt;ホール&gt;" in _text(client, "/?spot=hall")


def test_a_day_without_data_is_said_to_have_none_and_shows_no_zeros(client: FlaskClient) -> None:
    page = _text(client, "/?date=2026-11-20")
    assert "この期間の集計データはありません" in page
    assert "この期間の利用はありません。" not in page
    assert not re.search(r"<d[dt]>0|<td>0", page)
    week = _text(client, "/?period=week&lang=en")
    assert "“－” means that nothing was collected; it is not 0." in week
    assert week.count("<td>－</td>") == 6 * 7
    assert "集計データはありません" in _text(client, "/chart.svg?date=2026-11-20")


def test_a_box_that_never_collected_says_so(tmp_path: Path) -> None:
    store, wifi = open_stats_database(tmp_path / "stats.db"), WifiSettings(spots=[a_spot()])
    page = create_stats_app(
        wifi, store, HeldClock(datetime(2026, 11, 23, 18, tzinfo=JST)), open_log("stats")
    ).test_client()
    assert "Statistics were never collected on this box" in _text(page, "/?lang=en&period=week")
    assert "一度も集計が行われていません" in _text(page, "/")


def test_an_error_of_ours_is_a_sentence_and_told_without_its_message(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ValueError("02:00:5e:00:00:01")

    store, lines = open_stats_database(tmp_path / "stats.db"), StringIO()
    app = create_stats_app(WifiSettings(spots=[a_spot()]), store, EVENING, open_log("stats", lines))
    app.before_request(fail)
    answer = app.test_client().get("/")
    assert (answer.status_code, "ただいま表示できません" in answer.get_data(as_text=True)) == (503, True)
    assert '"error": "ValueError"' in lines.getvalue()
    assert "02:00" not in "".join([*capfd.readouterr(), lines.getvalue()])


def test_page_chart_and_style_load_nothing_from_elsewhere(client: FlaskClient) -> None:
    for address in ("/", "/static/stats.css", "/chart.svg"):
        text = _text(client, address).replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?:|//[a-z]|@import|<script|\sstyle=|\son\w+=", text)


def test_the_policy_allows_the_charts_own_style_sheet_and_no_other(client: FlaskClient) -> None:
    answer = client.get("/chart.svg?date=2026-11-23")
    (sheet,) = re.findall(r"<style[^>]*>(.*?)</style>", answer.get_data(as_text=True), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(html.unescape(sheet).encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert client.get("/").headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")


@pytest.mark.parametrize("address", ["/", "/chart.svg"])
def test_another_name_than_loopback_is_turned_away(client: FlaskClient, address: str) -> None:
    assert client.get(address, headers={"Host": "staff.example.jp"}).status_code == 400
    assert client.get(address, headers={"Host": "127.0.0.1:8190"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed_through_the_page(client: FlaskClient, method: str) -> None:
    assert client.open("/", method=method).status_code == 405


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["spot", "period", "date", "lang", "x"]), st.text(max_size=30)))
def test_odd_questions_get_the_usual_answer(client: FlaskClient, asked: dict[str, Any]) -> None:
    for path in ("/", "/chart.svg"):
        assert client.get(path, query_string=asked).status_code == 200


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30"])
def test_a_day_at_the_end_of_time_is_today(client: FlaskClient, day: str) -> None:
    assert "2026年11月" in _text(client, f"/?date={day}&period=week")


def test_every_value_has_a_name_in_every_language() -> None:
    for language in LANGUAGES:
        for part, values in PARTS.items():
            assert all(catalogue(language).value(part, value) for value in (*values, "merged"))


def test_both_languages_have_the_same_words() -> None:
    folder = resources.files("captive_portal.stats") / "locale"
    ja, en = (tomllib.loads((folder / f"{code}.toml").read_text("utf-8")) for code in LANGUAGES)
    assert ja.keys() == en.keys()
    assert [ja[key].keys() == en[key].keys() for key in ja if isinstance(ja[key], dict)]


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_keep_wcag_aa() -> None:
    css = (resources.files("captive_portal.stats") / "static" / "stats.css").read_text("utf-8")
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", css))
    texts = [(text, paper) for text in ("ink", "soft", "main") for paper in ("paper", "card")]
    assert min(_contrast(colour[text], colour[paper]) for text, paper in texts) >= 4.5
    assert _contrast("#ffffff", colour["main"]) >= 4.5
    assert min(_contrast(bar, "#ffffff") for bar in COLOURS) >= 3
    assert _contrast(colour["line"], colour["card"]) >= 3


@given(st.integers(0, 10**9))
def test_the_axis_has_a_few_whole_steps(highest: int) -> None:
    found = ticks(highest)
    assert found[0] == 0
    assert found[-1] >= highest
    assert 2 <= len(found) <= 6
    assert len({b - a for a, b in itertools.pairwise(found)}) == 1


def test_a_bar_for_every_row_of_every_series() -> None:
    svg = draw(["a", "b", "c"], {"x": [1, 2, 3], "y": [0, 0, 9]}, no_data="-").svg.decode()
    assert svg.count('class="rect') == 6


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0.0"), (1_540_000, "1.5"), (99_940_000, "99.9"), (10**11, "100,000")]
)
def test_bytes_are_shown_as_megabytes(count: int, shown: str) -> None:
    assert megabytes(count) == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_phones_of_a_disaster_have_a_column_when_there_were_any(tmp_path: Path, language: str) -> None:
    store, name = open_stats_database(tmp_path / "stats.db"), catalogue(language)("disaster_phones")
    wifi, clock = WifiSettings(spots=[a_spot()]), HeldClock(datetime(2026, 11, 23, 18, tzinfo=JST))
    page = create_stats_app(wifi, store, clock, open_log("stats")).test_client()
    assert name not in _text(page, f"/?lang={language}")
    told = [event(1, "disaster", phones=1234, visitor="", session="")]
    write(store, EventState(), *add_events(EventState(), told))
    assert f"<dt>{name}</dt><dd>1,234</dd>" in _text(page, f"/?lang={language}")
