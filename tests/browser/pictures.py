"""The pictures of the READMEs, taken from the running product: ``./hiroba test --pictures``.

    python -m tests.browser.pictures [FOLDER]     FOLDER is docs/pictures unless said

City, people and figures are made up. Each picture is made by itself: what cannot be made is told, the others are
written, and the exit code is 1.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.protocol import UsageEvent
from captive_portal.settings import Ipv4Settings, LimitSettings, PortalSettings, SpotSettings, WifiSettings
from captive_portal.stats.database import mark_collected, open_stats_database, write
from captive_portal.stats.event_state import EventState, add_events
from captive_portal.stats.page import create_stats_app
from captive_portal.wiring_portal import build_portal
from device.card.virtual.pki import TestPki
from device.clock import JST, HeldClock, SystemClock
from device.logs import open_log
from kiosk.issuer.memory import MemoryIssuer
from kiosk.settings import KioskSettings
from kiosk.simulator import KioskSimulator
from provisioning.cityhall.tables import Box
from provisioning.enrolment.identity import Identity
from tests.fixtures.cityhall_server import CityHallServer

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
NAMES = ("見本 太郎", "見本 花子", "見本 次郎")
NEXT = {
    "home": ["start"],
    "services": ["certificates"],
    "enter_pin": ["digit-1", "digit-2", "digit-3", "digit-4", "enter"],
    "choose_certificate": ["choose-residence_record"],
    "choose_options": ["next"],
    "confirm": ["confirm"],
    "pay": ["pay"],
    "take_items": ["taken"],
}
"""What a visitor touches on each screen; on the others the kiosk goes on by itself."""
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  <match target="pattern">
    <test name="lang" compare="contains"><string>ja</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>BIZ UDPGothic</string></edit>
  </match>
</fontconfig>
"""
"""Where a phone has a Gothic face of its own, this machine would show its Mincho."""
PASSWORD = "correct horse battery"
MONDAY = datetime(2026, 11, 16, tzinfo=JST)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """A WSGI app on a free port of loopback."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def shot(page: Page, width: int) -> Image.Image:
    """The page as it stands, scaled to this width."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    return picture.resize((width, picture.height * width // picture.width), Image.Resampling.LANCZOS)


def sheet(pictures: list[Image.Image], columns: int, gap: int = 12) -> Image.Image:
    """All of one size, in rows, on grey."""
    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    made = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + gap) + gap), (208, 208, 204))
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        made.paste(picture, (gap + column * (width + gap), gap + row * (height + gap)))
    return made


def keep(picture: Image.Image, place: Path) -> None:
    """In 256 colours: a third of the bytes."""
    picture.quantize(256, dither=Image.Dither.NONE).save(place, optimize=True)


def kiosk(browser: Browser, folder: Path, out: Path) -> None:
    """One whole visit on a portrait screen: kiosk.png (four screens), visit.png (all); plaza.png: the plaza's pages."""
    pki = TestPki(folder / "pki")
    pki.ensure(["demo"])
    settings = KioskSettings(terminal="virtual", opens="00:00", closes="00:00")
    log, issuer = open_log("simulator", StringIO()), MemoryIssuer(names=NAMES)
    simulator = KioskSimulator(
        folder, pki, settings=settings, threads=True, clock=SystemClock(), log=log, issuer=issuer
    )
    simulator.kiosk.start()
    try:
        with served(simulator.kiosk.app) as address:
            page = browser.new_page(viewport={"width": 1080, "height": 1920}, has_touch=True)
            page.goto(address)
            page.wait_for_selector('body[data-screen="home"]')
            seen = visit(page, simulator)
            simulator.remove()
            plaza = [picture.resize((360, 640), Image.Resampling.LANCZOS) for picture in about_the_plaza(page)]
            page.close()
    finally:
        simulator.kiosk.stop()
    wide = [picture.resize((360, 640), Image.Resampling.LANCZOS) for picture in seen.values()]
    four = [wide[list(seen).index(name)] for name in ("home", "enter_pin", "confirm", "take_items")]
    keep(sheet(four, 4), out / "kiosk.png")
    small = [picture.resize((225, 400), Image.Resampling.LANCZOS) for picture in seen.values()]
    keep(sheet(small, 6), out / "visit.png")
    keep(sheet(plaza, 4), out / "plaza.png")


def visit(page: Page, simulator: KioskSimulator) -> dict[str, Image.Image]:
    """Screen -> its picture, from home to done, by touching what a visitor touches."""
    seen: dict[str, Image.Image] = {}
    while "done" not in seen:
        screen = page.locator("body").get_attribute("data-screen") or ""
        if screen not in seen:
            seen[screen] = shot(page, 720)
        if screen == "place_card":
            simulator.insert()
        for action in NEXT.get(screen, []):
            page.tap(f'[data-action="{action}"]')
        page.wait_for_selector(f'body:not([data-screen="{screen}"])', timeout=30_000)
    return seen


def about_the_plaza(page: Page) -> list[Image.Image]:
    """From the first screen: the menu, the overview, the Wi-Fi, how a certificate is made."""
    seen = []
    for action, screen in (("start", "services"), ("plaza", "plaza"), ("wifi", "plaza_wifi")):
        page.tap(f'[data-action="{action}"]')
        page.wait_for_selector(f'body[data-screen="{screen}"]')
        seen.append(shot(page, 720))
    page.tap('[data-action="back"]')
    page.tap('[data-action="how"]')
    page.wait_for_selector('body[data-screen="plaza_how"]')
    return [*seen, shot(page, 720)]


def portal(browser: Browser, folder: Path, out: Path) -> None:
    """A phone before and after its log-in, in Japanese and Vietnamese: portal.png."""
    shown = [(language, stage) for language in ("ja", "vi") for stage in ("welcome", "online")]
    keep(sheet([phone(browser, folder, *one) for one in shown], 4), out / "portal.png")


def phone(browser: Browser, folder: Path, language: str, stage: str) -> Image.Image:
    """The page that a phone shows."""
    spot = SpotSettings(
        name="hall",
        title_ja="見本ひろば",
        title_en="Sample Plaza",
        interface="br-lan",
        uplink="up0",
        ipv4=Ipv4Settings(gateway="127.0.0.1", prefix=8),
        login=["one_tap", "voucher"],
        limits=LimitSettings(minutes_per_visit=60, minutes_per_day=240, quota_mib=500),
    )
    about = PortalSettings(provider_ja="見本市", provider_en="Sample City", contact="06-0000-0000")
    settings, clock = WifiSettings(spots=[spot], portal=about), SystemClock()
    gate = MemoryGate(settings, clock)
    gate.arrive("127.0.0.1", "02:00:00:00:00:05")
    state = folder / f"{language}-{stage}"
    state.mkdir()
    built = build_portal(settings, state, clock, open_log("portal", StringIO()), gate)
    built.start()
    try:
        with served(built.app) as address:
            page = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
            page.goto(f"{address}?lang={language}")
            if stage == "online":
                page.locator('[data-action="login"]:has([value="one_tap"]) button').first.click()
                page.wait_for_selector('body[data-page="online"]')
            picture = shot(page, 360)
            page.close()
            return picture
    finally:
        built.stop()


def statistics(browser: Browser, folder: Path, out: Path) -> None:
    """The staff page of a busy week: statistics.png."""
    store = open_stats_database(folder / "stats.db")
    write(store, EventState(), *add_events(EventState(), list(usage())))
    for day in range(8):
        mark_collected(store, (MONDAY + timedelta(days=day)).date())
    spot = SpotSettings(
        name="hall", title_ja="見本ひろば", title_en="Sample Plaza", interface="br-lan", uplink="up0",
        ipv4=Ipv4Settings(gateway="127.0.0.1", prefix=8),
    )  # fmt: skip
    app = create_stats_app(
        WifiSettings(spots=[spot]), store, HeldClock(MONDAY + timedelta(days=7, hours=9)), open_log("stats")
    )
    with served(app) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{address}?period=week&date={MONDAY:%Y-%m-%d}&spot=hall")
        keep(shot(page, 1100), out / "statistics.png")
        page.close()


def usage() -> Iterator[UsageEvent]:
    """What a gate tells of a week: more visitors at the weekend and in the afternoon."""
    chance = random.Random(20261116)
    moments: list[tuple[datetime, dict[str, Any]]] = []
    for day in range(7):
        for visitor in range(chance.randint(60, 90) * (2 if day > 4 else 1)):
            for visit_of_day in range(chance.choices([1, 2, 3], [70, 22, 8])[0]):
                begin = MONDAY + timedelta(days=day, hours=min(max(chance.gauss(14.5, 2.8), 8), 20.5))
                facts = {
                    "visitor": f"v{day}-{visitor}",
                    "session": f"s{day}-{visitor}-{visit_of_day}",
                    "method": chance.choices(["one_tap", "voucher"], [8, 1])[0],
                    "language": chance.choices(["ja", "en", "vi", "zh-Hans", "ko", "ne"], [60, 8, 12, 9, 5, 6])[0],
                    "device": chance.choices(["apple", "android", "windows"], [55, 40, 5])[0],
                }
                seconds = int(chance.uniform(300, 3600))
                growth = {"seconds": seconds, "bytes_up": seconds * 9_000, "bytes_down": seconds * 60_000}
                moments.append((begin, {"kind": "opened", **facts}))
                end = begin + timedelta(seconds=seconds)
                moments.append((end, {"kind": "ended", "why": "expired", **facts, **growth}))
    moments.sort(key=lambda moment: moment[0])
    for number, (at, told) in enumerate(moments, 1):
        yield UsageEvent(number=number, at=at, spot="hall", **told)


def cityhall(browser: Browser, folder: Path, out: Path) -> None:
    """The staff's list of boxes: one silent, one to look at, two well: cityhall.png."""
    findings = {
        "hiroba-1": [],
        "hiroba-2": ["page_printer.paper_out"],
        "library-1": [],
        "park-1": ["receipt_printer.paper_out"],
    }
    with CityHallServer(folder, workers=1) as hall:
        hall.service.staff.set_password("hanako", PASSWORD)
        now = int(SystemClock().now().timestamp())
        for name, found in findings.items():
            code = hall.service.records.new_code(name, "jiro", now, 30)
            hall.service.enrolments.ask(code, Identity(folder / name).request(name))
            (pending,) = [one for one in hall.service.records.pending() if one.box == name]
            hall.service.enrolments.approve(pending.id, "hanako")
            with hall.service.database.transaction() as session:
                box = session.get(Box, name)
                assert box is not None
                box.heartbeat_at = now - (90 * 60 if name == "library-1" else 60)
                box.facts = {"version": "0.1.0", "findings": found}
        page = browser.new_page(ignore_https_errors=True, viewport={"width": 1280, "height": 720})
        page.goto(f"https://localhost:{hall.settings.staff_port}/")
        page.get_by_label("職員名").fill("hanako")
        page.get_by_label("パスワード").fill(PASSWORD)
        page.get_by_role("button", name="ログイン").click()
        page.wait_for_selector('body[data-page="boxes"]')
        keep(shot(page, 1100), out / "cityhall.png")
        page.close()


MAKERS: tuple[Callable[[Browser, Path, Path], None], ...] = (kiosk, portal, statistics, cityhall)


def main(out: Path) -> int:
    """Make all; 1 when one could not be made."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    with sync_playwright() as playwright, tempfile.NamedTemporaryFile("w", suffix=".conf") as fonts:
        fonts.write(FONTS)
        fonts.flush()
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--lang=ja"],
            env={**os.environ, "FONTCONFIG_FILE": fonts.name, "LANGUAGE": "ja"},
        )
        for make in MAKERS:
            with tempfile.TemporaryDirectory(prefix="hiroba-pictures-") as folder:
                try:
                    make(browser, Path(folder), out)
                    print(f"{make.__name__}: {out}")  # noqa: T201
                except Exception:  # the other pictures are still wanted
                    traceback.print_exc()
                    failed = 1
        browser.close()
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
