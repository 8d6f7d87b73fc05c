"""City hall's log-in with a second factor in a real browser: an authenticator app, and a security key by Chromium's own
virtual authenticator (DevTools protocol, domain WebAuthn). Screens at a phone's width and by the keyboard alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from device.qr import texts_in
from provisioning.cityhall.accounts.authenticator_app import code_at
from tests.fixtures.cityhall_server import CityHallServer

pytestmark = pytest.mark.needs("chromium", "nginx")
expect.set_options(timeout=30_000)
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityHallServer]:
    with CityHallServer(tmp_path_factory.mktemp("cityhall"), workers=1, factor="required") as server:
        yield server


@pytest.fixture
def page(hall: CityHallServer) -> Iterator[Page]:
    """A phone's width; whatever the policy refuses fails the test."""
    refused: list[str] = []
    with sync_playwright() as playwright:
        # WebAuthn asks for a certificate that the browser trusts, or for this word.
        words = ["--no-sandbox", "--ignore-certificate-errors"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=words)
        address = f"https://localhost:{hall.settings.staff_port}"
        opened = browser.new_page(base_url=address, ignore_https_errors=True, viewport={"width": 320, "height": 640})
        opened.on("console", lambda message: refused.append(message.text) if "Policy" in message.text else None)
        yield opened
        browser.close()
    assert refused == []


def begin(page: Page, name: str) -> None:
    """The first step, without a mouse."""
    page.goto("/")
    expect(page.locator("input[name=name]")).to_be_focused()  # the browser gives the focus after the page is loaded
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def at(page: Page, name: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-page", name)
    assert fits(page), name


def test_an_app_is_registered_by_its_picture_and_logs_in_from_then_on(hall: CityHallServer, page: Page) -> None:
    hall.service.staff.set_password("apuri", PASSWORD)
    begin(page, "apuri")
    at(page, "enrol-factor")
    (link,) = texts_in(page.locator("svg.qr").screenshot())
    secret = page.locator("[data-secret]").inner_text().replace(" ", "")
    assert f"secret={secret}" in link
    page.get_by_label("6桁").fill(code_at(secret, int(time.time())))
    page.keyboard.press("Enter")
    at(page, "recovery")
    codes = page.locator("[data-recovery]").all_inner_texts()
    page.get_by_role("link", name="次へ").click()
    at(page, "boxes")
    page.context.clear_cookies()
    begin(page, "apuri")
    at(page, "second-step")
    page.get_by_label("6桁").fill(codes[0].lower())
    page.keyboard.press("Enter")
    at(page, "boxes")


def with_key(page: Page) -> None:
    """A USB key in the browser's hand, touched by itself."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_security_key_is_registered_and_logs_in_from_then_on(hall: CityHallServer, page: Page) -> None:
    hall.service.staff.set_password("kagi", PASSWORD)
    with_key(page)
    begin(page, "kagi")
    at(page, "enrol-factor")
    page.get_by_role("button", name="セキュリティキーを登録する").press("Enter")
    at(page, "recovery")
    page.get_by_role("link", name="次へ").press("Enter")
    at(page, "boxes")
    page.goto("/factors")
    at(page, "factors")
    page.get_by_role("button", name="すべてログアウトする").press("Enter")
    at(page, "login")
    begin(page, "kagi")
    at(page, "second-step")
    page.get_by_role("button", name="セキュリティキーで確認する").press("Enter")
    at(page, "boxes")


def test_a_key_that_says_no_is_told_with_a_way_on(hall: CityHallServer, page: Page) -> None:
    hall.service.staff.set_password("nashi", PASSWORD)
    with_key(page)
    begin(page, "nashi")
    page.get_by_role("button", name="セキュリティキーを登録する").press("Enter")
    page.get_by_role("link", name="次へ").press("Enter")
    page.goto("/factors")
    page.get_by_label("今のパスワード").last.fill(PASSWORD)
    page.keyboard.press("Enter")
    at(page, "enrol-factor")
    page.get_by_role("button", name="セキュリティキーを登録する").press("Enter")  # the same key: it refuses
    expect(page.get_by_text("二重に登録できません")).to_be_visible()
    at(page, "enrol-factor")
