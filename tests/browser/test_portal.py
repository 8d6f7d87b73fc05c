"""A headless Chromium as the phone: opens the portal, changes language, logs in by each method."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, ViewportSize, expect, sync_playwright
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from captive_portal.gate.memory import MemoryGate
from captive_portal.portal.app import Environ, StartResponse
from captive_portal.portal.languages import LANGUAGES, read_catalogues
from captive_portal.portal.login.voucher import make_batch, show_code
from captive_portal.portal.login.voucher_sheet import pages
from captive_portal.settings import (
    Ipv4Settings,
    LimitSettings,
    PortalSettings,
    SmtpSettings,
    SpotSettings,
    WifiSettings,
)
from captive_portal.wiring_portal import build_portal, open_vouchers
from device.clock import SystemClock
from device.logs import open_log
from tests.conftest import KeptAudit
from tests.fixtures.mail_server import PASSWORD, USER, MailServer, wait_for
from tests.fixtures.tls import write_test_credential
from tests.fixtures.web_processes import WebProcesses

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=30_000)  # milliseconds, as long as Playwright waits for all else
PHONE: ViewportSize = {"width": 390, "height": 844}
WORDS = read_catalogues()


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # the server's own parameter name
        """No line per request."""


class Late:
    """A WSGI app that is put in once the port it needs to know is bound."""

    def __init__(self) -> None:
        self.app: object = None

    def __call__(self, environ: Environ, start_response: StartResponse) -> object:
        assert callable(self.app)
        return self.app(environ, start_response)


@dataclass
class Plaza:
    url: str
    port: int
    gate: MemoryGate
    state: Path
    mail: MailServer
    clock: SystemClock


@pytest.fixture
def plaza(tmp_path: Path) -> Iterator[Plaza]:
    certificate, key = write_test_credential(tmp_path)
    (tmp_path / "password").write_text(PASSWORD)
    mail, late, clock = MailServer((certificate, key)), Late(), SystemClock()
    server: BaseWSGIServer = make_server("127.0.0.1", 0, late, threaded=True, request_handler=Quiet)  # type: ignore[arg-type]
    smtp = SmtpSettings(host="localhost", port=mail.port, ca_file=certificate.name, user=USER, password_file="password")
    spot = SpotSettings(
        name="hall",
        title_ja="見本ひろば",
        title_en="Sample Plaza",
        interface="br-lan",
        uplink="up0",
        ipv4=Ipv4Settings(gateway="127.0.0.1", prefix=8),
        login=["one_tap", "email_code", "voucher"],
        limits=LimitSettings(minutes_per_visit=60, minutes_per_day=240, quota_mib=500),
    )
    settings = WifiSettings(spots=[spot], portal=PortalSettings(port=server.server_port), smtp=smtp)
    gate = MemoryGate(settings, clock)
    gate.arrive("127.0.0.1", "02:00:00:00:00:05")
    portal = build_portal(settings, tmp_path, clock, open_log("portal", StringIO()), gate)
    late.app = portal.app
    portal.start()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Plaza(f"http://127.0.0.1:{server.server_port}", server.server_port, gate, tmp_path, mail, clock)
    server.shutdown()
    thread.join(10)
    server.server_close()
    portal.stop()
    mail.close()


@pytest.fixture(scope="module")
def launch() -> Iterator[Callable[..., Browser]]:
    """Start a Chromium with these arguments more."""
    with sync_playwright() as playwright:
        plain = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")

        def start(*arguments: str, env: dict[str, str | float | bool] | None = None) -> Browser:
            return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*plain, *arguments], env=env)

        yield start


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    chromium = launch()
    yield chromium
    chromium.close()


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def phone(browser: Browser, plaza: Plaza, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A phone's page; at the end nothing was loaded from elsewhere and nothing was blocked or failed."""
    context = browser.new_context(viewport=PHONE, locale="en-US", java_script_enabled=request.param)
    page, asked, said = context.new_page(), list[str](), list[str]()

    def note(sent: Request) -> None:
        asked.append(sent.url)

    page.on("request", note)
    page.on("console", lambda message: said.append(message.text))
    page.goto(plaza.url)
    yield page
    context.close()
    assert [url for url in asked if not url.startswith(plaza.url)] == []
    assert said == []


def is_on(page: Page, name: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-page", name)


def choose(page: Page, language: str) -> None:
    page.wait_for_load_state()  # the page's script has hidden the button then, if scripts run
    button = page.locator("[data-action=language] button")
    by_hand = button.is_visible()
    page.select_option("select[name=lang]", language)
    if by_hand:
        button.click()
    expect(page.locator("html")).to_have_attribute("lang", language)


def test_every_language_is_chosen_and_one_tap_connects(phone: Page, plaza: Plaza) -> None:
    is_on(phone, "welcome")
    expect(phone.locator("html")).to_have_attribute("lang", "en")
    for language in LANGUAGES:
        choose(phone, language)
    choose(phone, "vi")
    phone.get_by_role("button", name=WORDS["vi"].plain("connect")).click()
    is_on(phone, "online")
    assert plaza.gate.passes("127.0.0.1")
    choose(phone, "ko")
    is_on(phone, "online")
    phone.locator("[data-action=logout] button").click()
    is_on(phone, "ended")
    assert not plaza.gate.passes("127.0.0.1")


def test_a_code_from_a_real_mail_server_connects(phone: Page, plaza: Plaza) -> None:
    phone.fill("[name=address]", "visitor@example.jp")
    phone.locator("[data-action=login]:has([name=address]) button").click()
    wait_for(lambda: plaza.mail.taken)
    assert plaza.mail.taken[0].over == "tls"
    code = re.search(r"\b[0-9]{6}\b", plaza.mail.taken[0].text)
    assert code
    choose(phone, "ne")
    phone.fill("[name=code]", code[0])
    phone.locator("[data-action=login] button").click()
    is_on(phone, "online")
    assert plaza.gate.sessions()[0].method == "email_code"


def test_a_voucher_connects_after_a_slip_was_mended(phone: Page, plaza: Plaza) -> None:
    store, key = open_vouchers(plaza.state)
    batch = make_batch(store, key, plaza.clock, KeptAudit(), count=1, minutes=20, valid_days=1)
    store.close()
    code = show_code(batch.codes[0])
    phone.fill("[name=voucher]", code[:-1])
    phone.locator("[data-action=login]:has([name=voucher]) button").click()
    expect(phone.get_by_role("alert")).to_have_attribute("data-error", "voucher")
    expect(phone.locator("[name=voucher]")).to_have_value(code[:-1])
    phone.fill("[name=voucher]", code)
    phone.locator("[data-action=login]:has([name=voucher]) button").click()
    is_on(phone, "online")
    expect(phone.locator("[data-seconds]")).to_contain_text("20")


def test_the_link_of_one_visit_goes_on_with_a_new_mac(phone: Page, plaza: Plaza) -> None:
    phone.locator("[data-action=login]").first.locator("button").click()
    link = phone.locator("[data-action=resume-link]").get_attribute("href")
    plaza.gate.arrive("127.0.0.1", "02:00:00:00:00:99")
    phone.goto(f"{plaza.url}{link}")
    phone.locator("[data-action=resume] button").click()
    is_on(phone, "online")
    assert [s.mac for s in plaza.gate.sessions()] == ["02:00:00:00:00:99"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_a_small_phone_nothing_is_cut_and_every_control_is_large(
    browser: Browser, plaza: Plaza, language: str
) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 568})
    for path in ("/", "/terms"):
        page.goto(f"{plaza.url}{path}?lang={language}")
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        boxes = [c.bounding_box() for c in page.locator("button:visible, select, main input:visible").all()]
        assert boxes
        assert [b for b in boxes if b and b["height"] < 44] == []
        page.evaluate("document.documentElement.style.fontSize = '200%'")  # WCAG 2.2 §1.4.4 and §1.4.10
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert (page.locator(".brand").bounding_box() or {"width": 0})["width"] > 100
    page.close()


def test_keys_walk_through_the_languages_and_the_button_takes_one(browser: Browser, plaza: Plaza) -> None:
    """WCAG 2.2 §3.2.2: a choice by keys alone changes nothing."""
    page = browser.new_page(viewport=PHONE, locale="en-US")
    page.goto(plaza.url)
    page.locator("select[name=lang]").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-action=language] button")).to_be_visible()
    expect(page.locator("select[name=lang]")).to_have_value("ne")
    assert page.url == f"{plaza.url}/"
    page.locator("[data-action=language] button").click()
    expect(page.locator("html")).to_have_attribute("lang", "ne")
    page.close()


def test_the_minutes_count_down_with_their_reading(browser: Browser, plaza: Plaza) -> None:
    page = browser.new_page(viewport=PHONE)
    page.clock.install()
    page.goto(f"{plaza.url}/?lang=ja-easy")
    page.locator("[data-action=login]").first.locator("button").click()
    is_on(page, "online")
    page.wait_for_load_state()
    left = page.locator("[data-seconds]")
    assert left.inner_html() == 'あと60<ruby>分<rt data-readings="ふん/ぷん">ぷん</rt></ruby>'
    page.clock.run_for(61_000)
    assert left.inner_html() == 'あと59<ruby>分<rt data-readings="ふん/ぷん">ふん</rt></ruby>'
    page.close()


@pytest.fixture
def bare(launch: Callable[..., Browser], tmp_path: Path) -> Iterator[Browser]:
    """The browser of a computer with none of our fonts."""
    fonts = tmp_path / "fonts.conf"
    fonts.write_text("<fonts><dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>cache</cachedir></fonts>", "ascii")
    chromium = launch(env={**os.environ, "FONTCONFIG_FILE": str(fonts)})
    yield chromium
    chromium.close()


def fonts_used(page: Page) -> set[tuple[str, bool]]:
    """(family, whether the page brought it) of all that draws a letter."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("DOM.enable")
    devtools.send("CSS.enable")
    root = devtools.send("DOM.getDocument")["root"]["nodeId"]
    nodes = devtools.send("DOM.querySelectorAll", {"nodeId": root, "selector": "h2, p, b"})["nodeIds"]
    found = [devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"] for node in nodes]
    return {(font["familyName"], font["isCustomFont"]) for fonts in found for font in fonts}


@pytest.mark.needs("bizud", "noto")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sheet_of_vouchers_brings_its_fonts_and_cuts_no_line(bare: Browser, tmp_path: Path, language: str) -> None:
    store, key = open_vouchers(tmp_path)
    batch = make_batch(store, key, SystemClock(), KeptAudit(), count=16, minutes=240, valid_days=90)
    store.close()
    page = bare.new_page(viewport={"width": 718, "height": 1046})  # A4 less its margins, at 96 dots an inch
    cut = "[...document.querySelectorAll('article')].filter(a => a.scrollHeight > a.clientHeight + 1).length"
    title = "見本市中央公民館 二階学習室" if language == "ja" else "Sample City Central Plaza, Study Room 2F"
    page.set_content(pages(batch, WORDS[language], title, "Sample_City_Free_Wi-Fi"))
    page.evaluate("document.fonts.ready")
    assert (page.locator("article").count(), page.evaluate(cut)) == (16, 0)
    used = fonts_used(page)
    assert used
    assert [family for family, brought in used if not brought] == []


@pytest.mark.needs("nginx")
def test_a_probe_leads_the_phone_to_the_welcome_page(tmp_path: Path, launch: Callable[..., Browser]) -> None:
    with WebProcesses(tmp_path / "w", tls=False) as web:
        web.gate.arrive("127.0.0.1", "02:00:00:00:00:05")
        chromium = launch(f"--host-resolver-rules=MAP captive.apple.com 127.0.0.1:{web.port}")
        page = chromium.new_page(viewport=PHONE)
        page.goto("http://captive.apple.com/hotspot-detect.html")
        is_on(page, "welcome")
        assert page.url == f"http://127.0.0.1:{web.port}/?d=apple"
        chromium.close()
