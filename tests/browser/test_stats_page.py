"""The staff page of the statistics in a real browser: the chart under the strict policy, forms and links."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from captive_portal.settings import WifiSettings
from captive_portal.stats.database import open_stats_database, write
from captive_portal.stats.event_state import EventState, add_events
from captive_portal.stats.page import create_stats_app
from device.clock import JST, HeldClock
from device.logs import open_log
from tests.captive_portal.gate.sites import a_spot
from tests.captive_portal.stats.events import START, event

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=30_000)  # milliseconds, as long as Playwright waits for all else


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # the server's own parameter name
        """No line per request."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The page of a hall with 40 sessions on 23 November, on a free port."""
    store = open_stats_database(tmp_path / "stats.db")
    moments = [START + timedelta(minutes=7 * n) for n in range(40)]
    events = [
        event(n, "opened", at, session=f"s{n}", visitor=f"v{n % 9}", language="en" if n % 4 else "ja")
        for n, at in enumerate(moments, 1)
    ]
    write(store, EventState(), *add_events(EventState(), events))
    wifi = WifiSettings(spots=[a_spot(title_ja="市民ホール", title_en="Civic Hall"), a_spot(name="park")])
    app = create_stats_app(wifi, store, HeldClock(datetime(2026, 11, 23, 18, tzinfo=JST)), open_log("stats"))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def test_staff_find_a_spot_and_a_week_and_the_chart_is_drawn(address: str, page: Page) -> None:
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    page.on("console", complain)
    page.goto(address)
    expect(page.locator("h1")).to_contain_text("すべてのスポット")
    page.get_by_label("スポット").select_option("hall")
    page.get_by_label("期間").select_option("week")
    page.get_by_role("button", name="表示").click()
    expect(page.locator("h1")).to_contain_text("市民ホール")
    assert page.locator("img").evaluate("img => img.complete && img.naturalWidth > 0")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_contain_text("Civic Hall")
    expect(page.get_by_role("row", name="Mon 23 Nov")).to_contain_text("40")
    assert complaints == []


def test_the_chart_alone_keeps_its_colours_under_its_own_policy(address: str, page: Page) -> None:
    page.goto(f"{address}/chart.svg?date=2026-11-23")
    colour = page.locator("g.series.color-0 rect.rect").first.evaluate("bar => getComputedStyle(bar).fill")
    assert colour == "rgb(11, 79, 158)"


def test_the_page_does_not_scroll_sideways_on_a_small_screen(address: str, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
