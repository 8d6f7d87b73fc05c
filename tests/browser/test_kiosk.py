"""Whole visits by touch in a real browser: both languages, both orientations, by the names on the controls."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright
from werkzeug.serving import make_server

from device.card.virtual.pki import TestPki
from device.clock import SystemClock
from device.logs import open_log
from device.printer.status import Condition
from device.qr import texts_in
from kiosk.issuer.memory import MemoryIssuer
from kiosk.services.plaza.state import PICTURES
from kiosk.settings import KioskSettings
from kiosk.shell.staff_code import hash_staff_code, staff_code_of
from kiosk.simulator import KioskSimulator

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
PORTRAIT, LANDSCAPE = (1080, 1920), (1920, 1080)
NAMES = ("試験 辻\U000e0102太郎", "試験 𠮷子", "試験 﨑雄")

pytestmark = pytest.mark.needs("chromium", "bizud")

SMALL_TARGETS = """() => [...document.querySelectorAll("[data-action]")].map((control) => {
  const box = (control.closest("label") || control).getBoundingClientRect();
  const least = "digit" in control.dataset ? 96 : 72;
  return [control.dataset.action, box.width, box.height, least];
}).filter(([, width, height, least]) => width && (width < least || height < least))"""

FAINT_WORDS = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (words.nextNode()) {
    const node = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || !node.offsetParent || node.closest("noscript")) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 7) faint.push(words.currentNode.data.trim());
  }
  return faint;
}"""


class Touchscreen:
    """The browser in front of the kiosk; ``at`` holds each screen against the rules of reach and sight."""

    def __init__(self, page: Page, simulator: KioskSimulator, pictures: Path) -> None:
        self.page, self.simulator, self._pictures = page, simulator, pictures
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda told: self.problems.append(told.text) if told.type == "error" else None)

    def at(self, screen: str) -> None:
        """Wait for the screen, measure its targets and contrast, keep a picture."""
        self.page.wait_for_selector(f'body[data-screen="{screen}"]')
        assert self.measured(SMALL_TARGETS) == []
        assert self.measured(FAINT_WORDS) == []
        assert self.measured("document.documentElement.scrollWidth <= innerWidth")
        self.page.screenshot(path=str(self._pictures / f"{screen}.png"))

    def measured(self, script: str) -> object:
        """What the script says of the page; said again when the kiosk showed the page anew meanwhile."""
        while True:
            self.page.wait_for_load_state()
            try:
                return self.page.evaluate(script)
            except Error as error:
                if "context was destroyed" not in error.message:
                    raise

    def tap(self, *actions: str) -> None:
        """Touch controls, one after the other."""
        for action in actions:
            self.page.tap(f'[data-action="{action}"]')

    def type(self, digits: str) -> None:
        """Touch the keypad."""
        self.tap(*(f"digit-{digit}" for digit in digits))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """One card."""
    made = TestPki(Path(tmp_path_factory.mktemp("pki")))
    made.ensure(["demo"])
    return made


@dataclass(frozen=True)
class Place:
    """How one kiosk stands there."""

    language: str
    size: tuple[int, int]
    terminal: Literal["counter", "virtual"]


@pytest.fixture(
    params=[Place("ja", PORTRAIT, "virtual"), Place("en", LANDSCAPE, "counter")], ids=["ja-portrait", "en-landscape"]
)
def place(request: pytest.FixtureRequest) -> Place:
    """Two kiosks: a Japanese one in portrait, an English one in landscape, each with its own terminal."""
    found: Place = request.param
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def simulator(place: Place, tmp_path: Path, pki: TestPki) -> Iterator[KioskSimulator]:
    """A kiosk that runs by itself, open all day."""
    settings = KioskSettings(
        terminal=place.terminal, opens="00:00", closes="00:00", staff_code_hash=hash_staff_code(staff_code_of("2468"))
    )
    with (tmp_path / "log.jsonl").open("w") as stream:
        log, issuer = open_log("simulator", stream), MemoryIssuer(names=NAMES)
        made = KioskSimulator(
            tmp_path, pki, settings=settings, threads=True, clock=SystemClock(), log=log, issuer=issuer
        )
        made.kiosk.start()
        yield made
        made.kiosk.stop()


@pytest.fixture
def address(simulator: KioskSimulator) -> Iterator[str]:
    """Where the kiosk answers."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, simulator.kiosk.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def screen(
    place: Place, browser: Browser, simulator: KioskSimulator, address: str, tmp_path: Path
) -> Iterator[Touchscreen]:
    """A touch screen that shows the kiosk in the wanted language."""
    width, height = place.size
    page = browser.new_page(viewport={"width": width, "height": height}, has_touch=True)
    shown = Touchscreen(page, simulator, tmp_path)
    page.goto(address)
    page.wait_for_selector('body[data-screen="home"]')  # closed until the start's own recovery is through
    shown.tap(f"language-{place.language}")
    page.wait_for_selector(f'html[lang="{place.language}"]')
    yield shown
    page.close()


def test_a_whole_visit_by_touch(screen: Touchscreen) -> None:
    screen.at("home")
    screen.tap("start")
    screen.at("services")
    screen.tap("certificates")
    screen.at("place_card")
    screen.simulator.insert()
    screen.at("enter_pin")
    screen.type("9999")
    screen.tap("enter")
    screen.page.wait_for_selector('[data-notice="pin_wrong"]')
    screen.at("enter_pin")
    screen.type("12")
    screen.tap("erase")
    screen.type("234")
    screen.tap("enter")
    screen.at("choose_certificate")
    screen.tap("choose-residence_record")
    screen.at("choose_options")
    screen.tap("persons-some", "person-2", "copies-2")
    screen.at("choose_options")
    screen.tap("next")
    screen.at("confirm")
    assert NAMES[1] in screen.page.inner_text(".order")
    screen.tap("confirm")
    screen.at("pay")
    screen.simulator.remove()
    if screen.simulator.settings.terminal == "virtual":
        screen.tap("pay")
    else:
        screen.type("2468")
        screen.tap("staff-code")
    screen.at("take_items")
    screen.tap("taken")
    screen.at("done")
    screen.tap("home")
    screen.at("home")
    assert screen.page.get_attribute("html", "lang") == "ja"
    assert screen.simulator.pages.pages == 2
    assert screen.problems == []


def test_the_pin_is_nowhere_in_the_page_and_no_menu_opens(simulator: KioskSimulator, screen: Touchscreen) -> None:
    screen.tap("display-contrast")
    screen.page.wait_for_selector("html.contrast")
    screen.tap("start", "certificates")
    simulator.insert()
    screen.at("enter_pin")
    screen.type("1379")
    assert "1379" not in screen.page.content()
    assert screen.page.input_value('input[name="pin"]') == ""
    assert screen.page.get_attribute(".dots", "data-typed") == "4"
    quiet = "!document.body.dispatchEvent(new MouseEvent('contextmenu', {bubbles: true, cancelable: true}))"
    assert screen.page.evaluate(quiet)
    simulator.remove()
    screen.at("trouble")
    assert screen.problems == []


def test_a_broken_printer_shuts_one_service_and_the_plaza_stays_open(screen: Touchscreen) -> None:
    screen.simulator.pages.set(Condition.PAPER_OUT)
    screen.page.wait_for_selector('[data-notice="printer.paper_out"]')
    screen.at("home")
    screen.tap("start")
    screen.page.wait_for_selector('[data-unavailable="printer.paper_out"]')
    screen.at("services")
    screen.tap("plaza")
    screen.page.wait_for_selector('body[data-service="plaza"] [data-unavailable="printer.paper_out"]')
    screen.at("plaza")
    screen.tap("wifi")
    screen.at("plaza_wifi")
    assert texts_in(screen.page.screenshot()) == ["WIFI:T:nopass;S:Mihon_Free_Wi-Fi;;"]
    screen.tap("back")
    screen.at("plaza")
    screen.tap("how")
    for picture in PICTURES:
        screen.page.wait_for_selector(f'[data-picture="{picture}"]')
        screen.page.wait_for_function("[...document.images].every((image) => image.naturalWidth > 0)")
        screen.at("plaza_how")
        screen.tap("home" if picture == PICTURES[-1] else "next")
    screen.at("home")
    assert screen.problems == []


@pytest.mark.parametrize("display", ["large", "contrast"])
def test_the_plaza_can_be_read_in_large_letters_and_in_contrast(screen: Touchscreen, display: str) -> None:
    screen.tap(f"display-{display}")
    screen.page.wait_for_selector(f"html.{display}")
    screen.at("home")
    screen.tap("start")
    screen.at("services")
    screen.tap("plaza")
    screen.at("plaza")
    screen.tap("wifi")
    screen.at("plaza_wifi")
    assert texts_in(screen.page.screenshot()) == ["WIFI:T:nopass;S:Mihon_Free_Wi-Fi;;"]
    assert screen.problems == []


COVERED = "document.querySelector('.moves').getBoundingClientRect().bottom"
BAR = "document.querySelector('.bottom').getBoundingClientRect().top"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_in_large_letters_the_bar_covers_nothing_of_the_controls_above_it(screen: Touchscreen, language: str) -> None:
    width = screen.page.viewport_size["width"] if screen.page.viewport_size else 0
    screen.page.set_viewport_size(
        {"width": width, "height": min(width + 1, 1100) if width < 1200 else 620}
    )  # it scrolls
    screen.tap(f"language-{language}", "display-large")
    screen.page.wait_for_selector(f'html.large[lang="{language}"]')
    screen.tap("start")
    screen.at("services")
    screen.tap("plaza")
    screen.at("plaza")
    assert screen.measured("document.body.scrollHeight > innerHeight")
    assert screen.measured(f"{COVERED} <= {BAR} + 1")
